/** The keys of a log in LevelDB: a letter, then numbers whose byte order is their order. */
import { verifyBlock, verifyChunk, verifyRecord } from '../../src/log-store/index.ts';
import type { RecordName } from '../../src/log-store/index.ts';

const TWO_POW_32 = 2 ** 32;
const BLOCK_LETTER = 0x62;
const CHUNK_LETTER = 0x63;
const RECORD_LETTER = 0x72;
const BLOCK_KEY_BYTES = 9;
const CHUNK_KEY_BYTES = 13;

function writeU64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(value / TWO_POW_32), at);
  bytes.writeUInt32BE(value % TWO_POW_32, at + 4);
}

function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * TWO_POW_32 + bytes.readUInt32BE(at + 4);
}

const RECORD_NAMES: readonly RecordName[] = ['identity', 'metadata', 'head', 'snapshot'];

/**
 * Written last of all when a store is closed, so that damage to any other write has one behind it.
 */
export const CLOSING_KEY: Buffer = Buffer.from('z');

export function recordKey(name: RecordName): Buffer {
  return Buffer.from(String.fromCharCode(RECORD_LETTER) + name, 'latin1');
}

export function blockKey(first: number): Buffer {
  const key = Buffer.allocUnsafe(BLOCK_KEY_BYTES);
  key[0] = BLOCK_LETTER;
  writeU64(key, first, 1);
  return key;
}

export function blockOfKey(key: Buffer): number {
  return readU64(key, 1);
}

export function chunkKey(id: number, position: number): Buffer {
  const key = Buffer.allocUnsafe(CHUNK_KEY_BYTES);
  key[0] = CHUNK_LETTER;
  writeU64(key, id, 1);
  key.writeUInt32BE(position, 9);
  return key;
}

export function snapshotOfKey(key: Buffer): number {
  return readU64(key, 1);
}

export interface KeySpan {
  readonly gte: Buffer;
  readonly lt: Buffer;
}

export const ALL_BLOCKS: KeySpan = {
  gte: Buffer.from([BLOCK_LETTER]),
  lt: Buffer.from([BLOCK_LETTER + 1]),
};
export const ALL_CHUNKS: KeySpan = {
  gte: Buffer.from([CHUNK_LETTER]),
  lt: Buffer.from([CHUNK_LETTER + 1]),
};

export function chunksOf(id: number): KeySpan {
  return { gte: chunkKey(id, 0), lt: chunkKey(id + 1, 0) };
}

/** Throws `corrupt-data` when a stored value is not what its key says. */
export function verifyStored(key: Buffer, value: Buffer): void {
  if (key[0] === BLOCK_LETTER) verifyBlock(blockOfKey(key), value);
  else if (key[0] === CHUNK_LETTER) verifyChunk(snapshotOfKey(key), key.readUInt32BE(9), value);
  const name = RECORD_NAMES.find((one) => recordKey(one).equals(key));
  if (name !== undefined) verifyRecord(name, value);
}
