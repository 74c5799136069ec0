/**
 * LevelDB passes over what is damaged in its log files when it opens, and goes on without it. After
 * a crash that may be right: the last write was torn, never acknowledged. But when a later write
 * stands behind the damage, the damaged one was complete and acknowledged before (each waits for
 * its fsync), and going on would silently drop entries.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../../src/base/index.ts';
import { corruptData } from '../../src/log-store/index.ts';
import { isMissing } from './files.ts';
import { verifyStored } from './keys.ts';
import {
  beginsWrite,
  endsWrite,
  fragmentAt,
  HEADER_BYTES,
  nextPlace,
  writeBeginsAfter,
} from './log-file.ts';
import { putsIn } from './write-batch.ts';

/** The write that begins at `begin`, put together without regard to checksums. */
function writeAt(log: Buffer, begin: number): Buffer {
  const parts: Buffer[] = [];
  let at = begin;
  while (at + HEADER_BYTES <= log.length) {
    const end = at + HEADER_BYTES + log.readUInt16LE(at + 4);
    parts.push(log.subarray(at + HEADER_BYTES, end));
    if (endsWrite(log[at + 6])) break;
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
      const begin = beginsWrite(log[at + 6]) ? at : write;
      return damageOf(log, begin, `bad fragment at ${at}, later writes follow it`);
    }
    if (beginsWrite(fragment.type)) write = at;
    at = nextPlace(fragment.end);
  }
  return undefined;
}

/** The bytes of a log file; none when a process that has the directory open just removed it. */
function readLog(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return Buffer.alloc(0);
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
