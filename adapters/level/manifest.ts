/**
 * What a LevelDB consists of: `CURRENT` names the manifest, a log file of changes, which add up to
 * the tables there are and the oldest log file whose writes are in no table yet.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing, numberInName } from './files.ts';
import { recordsOf } from './log-file.ts';
import { readSlice, readVarint, type Place } from './varints.ts';

/** What a change may say, by LevelDB's numbers for it. */
const COMPARATOR = 1;
const LOG_NUMBER = 2;
const NEXT_FILE_NUMBER = 3;
const LAST_SEQUENCE = 4;
const COMPACTED_THROUGH = 5;
const REMOVED_TABLE = 6;
const ADDED_TABLE = 7;
const PREVIOUS_LOG_NUMBER = 9;

export interface TableFile {
  readonly number: number;
  readonly bytes: number;
}

/** The files that tell of the others, as they were read; undefined what is not there. */
export interface ManifestFiles {
  readonly current: string | undefined;
  readonly manifest: Buffer | undefined;
}

export type Manifest =
  { readonly type: 'whole'; readonly tables: readonly TableFile[] } | ManifestDamage;

interface ManifestDamage {
  readonly type: 'damaged';
  readonly found: string;
}

class TableList {
  /** By level and number: a table may be moved to the next level as it is. */
  readonly #tables = new Map<string, TableFile>();
  logNumber: number | undefined = undefined;

  get tables(): TableFile[] {
    return [...this.#tables.values()];
  }

  /** Throws `RangeError` for what is none. */
  take(change: Buffer): void {
    const place: Place = { at: 0 };
    while (place.at < change.length) this.#takeField(change, place);
  }

  #takeField(change: Buffer, place: Place): void {
    const field = readVarint(change, place);
    switch (field) {
      case COMPARATOR:
        readSlice(change, place);
        return;
      case LOG_NUMBER:
        this.logNumber = readVarint(change, place);
        return;
      case NEXT_FILE_NUMBER:
      case LAST_SEQUENCE:
      case PREVIOUS_LOG_NUMBER:
        readVarint(change, place);
        return;
      case COMPACTED_THROUGH:
        readVarint(change, place);
        readSlice(change, place);
        return;
      case REMOVED_TABLE: {
        const level = readVarint(change, place);
        this.#tables.delete(`${level}/${readVarint(change, place)}`);
        return;
      }
      case ADDED_TABLE: {
        const level = readVarint(change, place);
        const number = readVarint(change, place);
        this.#tables.set(`${level}/${number}`, { number, bytes: readVarint(change, place) });
        // Its first key and its last.
        readSlice(change, place);
        readSlice(change, place);
        return;
      }
      default:
        throw new RangeError(`field ${field} is unknown`);
    }
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function readManifestFiles(directory: string): ManifestFiles {
  const current = readIfThere(join(directory, 'CURRENT'))?.toString('latin1');
  const name = current === undefined ? undefined : /^(MANIFEST-\d+)\n$/.exec(current)?.[1];
  const manifest = name === undefined ? undefined : readIfThere(join(directory, name));
  return { current, manifest };
}

export function isSame(one: ManifestFiles, other: ManifestFiles): boolean {
  if (one.current !== other.current) return false;
  if (one.manifest === undefined || other.manifest === undefined) {
    return one.manifest === other.manifest;
  }
  return one.manifest.equals(other.manifest);
}

function damaged(found: string): ManifestDamage {
  return { type: 'damaged', found };
}

/**
 * The manifest is synced with every change before what it replaces is removed. So a torn end was
 * never in force, and what stood before is all there; where it is not, the end was lost later, and
 * LevelDB would go on without it.
 */
export function readManifest(directory: string, { current, manifest }: ManifestFiles): Manifest {
  if (manifest === undefined) {
    return damaged(current === undefined ? 'CURRENT is missing' : 'CURRENT names no manifest');
  }
  const { records, isDamaged } = recordsOf(manifest);
  if (isDamaged) return damaged('a bad record in the manifest, others follow it');
  const list = new TableList();
  try {
    for (const change of records) list.take(change);
  } catch (error) {
    if (error instanceof RangeError) return damaged(`the manifest: ${error.message}`);
    throw error;
  }
  const { logNumber, tables } = list;
  if (logNumber === undefined) return damaged('the end of the manifest is missing');
  // A new database has none yet.
  const log = `${numberInName(logNumber)}.log`;
  if (logNumber > 0 && !existsSync(join(directory, log))) {
    return damaged(`${log}, which the manifest names, is missing`);
  }
  return { type: 'whole', tables };
}
