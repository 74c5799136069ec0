/**
 * LevelDB's log files, of which its manifest is one. Layout: "leveldb Log format" in LevelDB's
 * documentation: blocks of 32 KiB hold fragments, each with a masked CRC-32C (4 bytes), a length
 * (2) and a type (1).
 */
import { maskedCrc32c } from './crc32c.ts';

const LOG_BLOCK_BYTES = 32 * 1024;
export const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;

export interface Fragment {
  readonly at: number;
  readonly end: number;
  readonly type: number;
}

/** `type`: of a fragment. */
export function beginsWrite(type: number | undefined): boolean {
  return type === FULL || type === FIRST;
}

export function endsWrite(type: number | undefined): boolean {
  return type === FULL || type === LAST;
}

function blockEnd(at: number): number {
  return (Math.floor(at / LOG_BLOCK_BYTES) + 1) * LOG_BLOCK_BYTES;
}

/** The undamaged fragment at `at`, or undefined. */
export function fragmentAt(log: Buffer, at: number): Fragment | undefined {
  const end = at + HEADER_BYTES + (at + HEADER_BYTES <= log.length ? log.readUInt16LE(at + 4) : 0);
  const type = log[at + 6];
  if (type === undefined || type < FULL || type > LAST) return undefined;
  if (end > Math.min(log.length, blockEnd(at))) return undefined;
  if (log.readUInt32LE(at) !== maskedCrc32c(log.subarray(at + 6, end))) return undefined;
  return { at, end, type };
}

/** Where the next fragment may begin: what is left of a block is too short for a header. */
export function nextPlace(at: number): number {
  return blockEnd(at) - at < HEADER_BYTES ? blockEnd(at) : at;
}

/** Whether a write begins, undamaged, at or after `from`, which may be any byte. */
export function writeBeginsAfter(log: Buffer, from: number): boolean {
  for (let at = from; at + HEADER_BYTES <= log.length; at++) {
    const fragment = fragmentAt(log, at);
    if (beginsWrite(fragment?.type)) return true;
  }
  return false;
}

export interface LogRecords {
  readonly records: readonly Buffer[];
  /** What follows them cannot be read, and it is no write that was torn: others stand behind it. */
  readonly isDamaged: boolean;
}

/** The whole records of a log file up to its end, or to what cannot be read. */
export function recordsOf(log: Buffer): LogRecords {
  const records: Buffer[] = [];
  let parts: Buffer[] = [];
  let at = 0;
  while (at < log.length) {
    const fragment = fragmentAt(log, at);
    if (fragment === undefined) return { records, isDamaged: writeBeginsAfter(log, at + 1) };
    if (beginsWrite(fragment.type)) parts = [];
    parts.push(log.subarray(at + HEADER_BYTES, fragment.end));
    if (endsWrite(fragment.type)) records.push(Buffer.concat(parts));
    at = nextPlace(fragment.end);
  }
  return { records, isDamaged: false };
}
