/**
 * What happens to a store's files between two lives of its node, without the store's knowledge
 * (tier C). Only files that hold data: what every start makes anew is left out.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { DamageFault } from '../faults/fault.ts';

/** SQLite's index of its log in shared memory, LevelDB's log for people and its lock. */
const NO_DATA = /-shm$|^LOG(\.old)?$|^LOCK$|\.lock$/;
/** Where a store writes before it answers: SQLite's log, LevelDB's. */
const JOURNAL = /-wal$|\.log$/;
const BLOCK_BYTES = 4_096;
/** A torn write is shorter than the smallest thing a store writes whole. */
const LONGEST_TAIL_BYTES = 4_096;

interface DataFile {
  readonly path: string;
  readonly bytes: number;
}

/** None of a node that was killed before it made its folder. */
function* filesBelow(directory: string): Iterable<string> {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile() && !NO_DATA.test(entry.name)) yield path;
  }
}

/** In an order that does not depend on the file system. */
function dataFiles(directory: string): DataFile[] {
  return [...filesBelow(directory)]
    .toSorted()
    .map((path) => ({ path, bytes: statSync(path).size }))
    .filter(({ bytes }) => bytes > 0);
}

/** Damages what was stored and acknowledged; says how, undefined when nothing is stored. */
export function damage(
  directory: string,
  how: DamageFault['how'],
  where: number,
): string | undefined {
  const files = dataFiles(directory);
  let at = Math.floor(where * files.reduce((sum, { bytes }) => sum + bytes, 0));
  for (const file of files) {
    if (at < file.bytes) return how === 'bitFlip' ? flipBit(file, at) : misdirect(file, at);
    at -= file.bytes;
  }
  return undefined;
}

function nameOf(path: string): string {
  return path.split('/').at(-1) ?? path;
}

function flipBit({ path }: DataFile, at: number): string {
  const file = openSync(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    byte[0]! ^= 1 << (at % 8);
    writeSync(file, byte, 0, 1, at);
  } finally {
    closeSync(file);
  }
  return `bit ${at % 8} of byte ${at} of ${nameOf(path)}`;
}

/** A block of a file lands on the place of the next one, or of the one before the last. */
function misdirect(data: DataFile, at: number): string | undefined {
  const blocks = Math.floor(data.bytes / BLOCK_BYTES);
  if (blocks < 2) return flipBit(data, at);
  const from = Math.min(Math.floor(at / BLOCK_BYTES), blocks - 1);
  const to = from + 1 < blocks ? from + 1 : from - 1;
  const file = openSync(data.path, 'r+');
  try {
    const block = Buffer.alloc(BLOCK_BYTES);
    readSync(file, block, 0, BLOCK_BYTES, from * BLOCK_BYTES);
    writeSync(file, block, 0, BLOCK_BYTES, to * BLOCK_BYTES);
  } finally {
    closeSync(file);
  }
  return `block ${from} of ${nameOf(data.path)} over block ${to}`;
}

/**
 * Leaves behind the journal's end what a write that was torn leaves: bytes that mean nothing. True
 * when there is a journal.
 */
export function tearTail(directory: string, random: () => number): boolean {
  const journals = dataFiles(directory).filter(({ path }) => JOURNAL.test(path));
  const newest = journals.at(-1);
  if (newest === undefined) return false;
  const tail = Buffer.alloc(1 + Math.floor(random() * LONGEST_TAIL_BYTES));
  for (let i = 0; i < tail.length; i++) tail[i] = Math.floor(random() * 256);
  appendFileSync(newest.path, tail);
  return true;
}
