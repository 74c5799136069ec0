/**
 * LevelDB opens tables without a look at their checksums, and where a block is not what its place
 * says it aborts the process. So each table is read whole before LevelDB opens: recovery reads all
 * that is stored in them anyway.
 *
 * Layout: "leveldb File format" in LevelDB's documentation: blocks, each with its compression (1
 * byte) and a masked CRC-32C of both (4), then a footer of 48 bytes. The blocks stand without gaps:
 * data, filter, metaindex, index; the footer says where the last two are, and those the others.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../src/base/index.ts';
import { corruptData } from '../../src/log-store/index.ts';
import { maskedCrc32c } from './crc32c.ts';
import { isMissing, numberInName } from './files.ts';
import { verifyStored } from './keys.ts';
import { isSame, readManifest, readManifestFiles, type TableFile } from './manifest.ts';
import { readBytes, readVarint, type Place } from './varints.ts';
import type { Put } from './write-batch.ts';

const TRAILER_BYTES = 5;
const CRC_BYTES = 4;
const NOT_COMPRESSED = 0;
const FOOTER_BYTES = 48;
const MAGIC = Buffer.from('57fb808b247547db', 'hex');
const NUMBER_BYTES = 4;
/** What LevelDB puts behind each key: whether it is a removal, and a number in order of writing. */
const KEY_SUFFIX_BYTES = 8;
const REMOVAL = 0;
/** A process that has the directory open may change it while it is read; it is told by the lock. */
const TRIES = 5;

interface Block {
  readonly at: number;
  /** Without its trailer. */
  readonly bytes: number;
}

function endOf({ at, bytes }: Block): number {
  return at + bytes + TRAILER_BYTES;
}

function contentOf(table: Buffer, { at, bytes }: Block): Buffer {
  return table.subarray(at, at + bytes);
}

function isSound(table: Buffer, block: Block): boolean {
  const end = endOf(block);
  if (end > table.length || table[end - TRAILER_BYTES] !== NOT_COMPRESSED) return false;
  const crc = table.readUInt32LE(end - CRC_BYTES);
  return crc === maskedCrc32c(table.subarray(block.at, end - CRC_BYTES));
}

function readHandle(bytes: Buffer, place: Place): Block {
  const at = readVarint(bytes, place);
  return { at, bytes: readVarint(bytes, place) };
}

/** The keys and values of a block, each key without what it has in common with the one before. */
function* entriesIn(content: Buffer): Generator<Put> {
  const restarts = content.readUInt32LE(content.length - NUMBER_BYTES);
  const end = content.length - NUMBER_BYTES * (1 + restarts);
  const place: Place = { at: 0 };
  let key: Buffer = Buffer.alloc(0);
  while (place.at < end) {
    const shared = readVarint(content, place);
    const rest = readVarint(content, place);
    const bytes = readVarint(content, place);
    key = Buffer.concat([key.subarray(0, shared), readBytes(content, place, rest)]);
    yield { key, value: readBytes(content, place, bytes) };
  }
}

/** The blocks that a sound block of handles names. */
function namedBy(table: Buffer, block: Block): Block[] {
  const entries = [...entriesIn(contentOf(table, block))];
  return entries.map(({ value }) => readHandle(value, { at: 0 }));
}

/** Names the damage in a data block as closely as what is left of it allows. */
function recordDamage(content: Buffer): HoldfastError | undefined {
  try {
    for (const { key, value } of entriesIn(content)) {
      const own = key.length - KEY_SUFFIX_BYTES;
      if (key[own] !== REMOVAL) verifyStored(key.subarray(0, own), value);
    }
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

/** The footer, read; undefined when it is none. */
function footerOf(table: Buffer): { readonly metaindex: Block; readonly index: Block } | undefined {
  const footer = table.subarray(-FOOTER_BYTES);
  const padded = FOOTER_BYTES - MAGIC.length;
  if (footer.length < FOOTER_BYTES || !footer.subarray(padded).equals(MAGIC)) return undefined;
  const place: Place = { at: 0 };
  const metaindex = readHandle(footer, place);
  const index = readHandle(footer, place);
  const isPadded = footer.subarray(place.at, padded).every((byte) => byte === 0);
  return isPadded && endOf(metaindex) === index.at ? { metaindex, index } : undefined;
}

/** What is wrong with the bytes of a table. Throws `RangeError` where they make no sense. */
function damageIn(table: Buffer, name: string): HoldfastError | undefined {
  const damaged = (what: string): HoldfastError => corruptData('entry', `${name}: ${what}`);
  const footer = footerOf(table);
  if (footer === undefined || endOf(footer.index) !== table.length - FOOTER_BYTES) {
    return damaged('a bad footer');
  }
  const { metaindex, index } = footer;
  if (!isSound(table, index)) return damaged('a bad index');
  if (!isSound(table, metaindex)) return damaged('a bad metaindex');
  const data = namedBy(table, index);
  let at = 0;
  for (const block of [...data, ...namedBy(table, metaindex), metaindex]) {
    if (block.at !== at) return damaged(`no block begins at ${at}`);
    at = endOf(block);
    if (isSound(table, block)) continue;
    const named = data.includes(block) ? recordDamage(contentOf(table, block)) : undefined;
    return named ?? damaged(`a bad block at ${block.at}`);
  }
  return undefined;
}

async function readTable(directory: string, number: number): Promise<[string, Buffer] | undefined> {
  const digits = numberInName(number);
  // Older versions wrote the second.
  for (const name of [`${digits}.ldb`, `${digits}.sst`]) {
    try {
      return [name, await readFile(join(directory, name))];
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return undefined;
}

async function damageOfTable(
  directory: string,
  { number, bytes }: TableFile,
): Promise<HoldfastError | undefined> {
  const read = await readTable(directory, number);
  if (read === undefined) return corruptData('entry', `table ${number} is missing`);
  const [name, table] = read;
  if (table.length !== bytes) {
    return corruptData('entry', `${name} has ${table.length} bytes in place of ${bytes}`);
  }
  try {
    return damageIn(table, name);
  } catch (error) {
    if (error instanceof RangeError) return corruptData('entry', `${name}: ${error.message}`);
    throw error;
  }
}

/** What is damaged in the tables of a LevelDB directory, and in what says which they are. */
export async function findTableDamage(directory: string): Promise<HoldfastError | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const files = readManifestFiles(directory);
    const manifest = readManifest(directory, files);
    let damage: HoldfastError | undefined;
    if (manifest.type === 'damaged') damage = corruptData('entry', manifest.found);
    else {
      for (const table of manifest.tables) damage ??= await damageOfTable(directory, table);
    }
    if (damage === undefined || isSame(files, readManifestFiles(directory))) return damage;
  }
  return undefined;
}
