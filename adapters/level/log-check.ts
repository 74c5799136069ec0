/**
 * LevelDB passes over what is damaged in its log files when it opens, and goes on without it. After
 * a crash that may be right: the last write was torn, never acknowledged. But when a later write
 * stands behind the damage, the damaged one was complete and acknowledged before (each waits for
 * its fsync), and going on would silently drop entries.
 *
 * Layout: "leveldb Log format" in LevelDB's documentation: blocks of 32 KiB hold fragments, each
 * with a masked CRC-32C (4 bytes), a length (2) and a type (1).
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../../src/base/index.ts';
import { corruptData } from '../../src/log-store/index.ts';
import { maskedCrc32c } from './crc32c.ts';
import { verifyStored } from './keys.ts';
import { putsIn } from './write-batch.ts';

const LOG_BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;
interface Fragment {
  readonly at: number;
  readonly end: number;
  readonly type: number;
}

function blockEnd(at: number): number {
  return (Math.floor(at / LOG_BLOCK_BYTES) + 1) * LOG_BLOCK_BYTES;
}

/** The undamaged fragment at `at`, or undefined. */
function fragmentAt(log: Buffer, at: number): Fragment | undefined {
  const end = at + HEADER_BYTES + (at + HEADER_BYTES <= log.length ? log.readUInt16LE(at + 4) : 0);
  const type = log[at + 6];
  if (type === undefined || type < FULL || type > LAST) return undefined;
  if (end > Math.min(log.length, blockEnd(at))) return undefined;
  if (log.readUInt32LE(at) !== maskedCrc32c(log.subarray(at + 6, end))) return undefined;
  return { at, end, type };
}

/** Where the next fragment may begin: what is left of a block is too short for a header. */
function nextPlace(at: number): number {
  return blockEnd(at) - at < HEADER_BYTES ? blockEnd(at) : at;
}

/** Whether a write begins, undamaged, at or after `from`, which may be any byte. */
function writeBeginsAfter(log: Buffer, from: number): boolean {
  for (let at = from; at + HEADER_BYTES <= log.length; at++) {
    const fragment = fragmentAt(log, at);
    if (fragment?.type === FULL || fragment?.type === FIRST) return true;
  }
  return false;
}

/** The write that begins at `begin`, put together without regard to checksums. */
function writeAt(log: Buffer, begin: number): Buffer {
  const parts: Buffer[] = [];
  let at = begin;
  while (at + HEADER_BYTES <= log.length) {
    const end = at + HEADER_BYTES + log.readUInt16LE(at + 4);
    parts.push(log.subarray(at + HEADER_BYTES, end));
    if (log[at + 6] === FULL || log[at + 6] === LAST) break;
    at = nextPlace(end);
  }
  return Buffer.concat(parts);
}

/** Names the damage as closely as what is left of the write allows. */
function damageOf(log: Buffer, begin: number, found: string): HoldfastError {
  try {
    for (const { key, value } of putsIn(writeAt(log, begin))) verifyStored(key, value);
  } catch (error) {
    if (error instanceof HoldfastError) return error;
  }
  return corruptData('entry', found);
}

/** The damage in one log file; `isLast`: no later file holds a write. */
function damageIn(log: Buffer, isLast: boolean): HoldfastError | undefined {
  let at = 0;
  // Where the write that the last good fragment belongs to begins.
  let write = 0;
  while (at < log.length) {
    const fragment = fragmentAt(log, at);
    if (fragment === undefined) {
      if (isLast && !writeBeginsAfter(log, at + 1)) return undefined;
      const begin = log[at + 6] === FULL || log[at + 6] === FIRST ? at : write;
      return damageOf(log, begin, `bad fragment at ${at}, later writes follow it`);
    }
    if (fragment.type === FULL || fragment.type === FIRST) write = at;
    at = nextPlace(fragment.end);
  }
  return undefined;
}

/** The bytes of a log file; none when a process that has the directory open just removed it. */
function readLog(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return Buffer.alloc(0);
    throw error;
  }
}

/** What is damaged in the log files of a LevelDB directory, torn last write aside. */
export function findLogDamage(directory: string): HoldfastError | undefined {
  const names = readdirSync(directory).filter((name) => /^\d+\.log$/.test(name));
  let laterWrites = false;
  for (const name of names.toSorted().toReversed()) {
    const log = readLog(join(directory, name));
    const damage = damageIn(log, !laterWrites);
    if (damage !== undefined) return damage;
    laterWrites ||= fragmentAt(log, 0) !== undefined;
  }
  return undefined;
}
