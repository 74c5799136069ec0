import type { KeyEntry, KeyVersion } from './key-version.ts';
import type { RegistryState } from './state.ts';
import type { ByteString, KeyRange, Revision } from './types.ts';

/** Bytes of values that are as much work to compare as a key is to visit. */
const BYTES_PER_UNIT = 64;

/**
 * How much work ranges may be: a unit for each key visited, for each newer version passed over to
 * get to the one asked for, and for 64 bytes of values compared.
 */
export class ScanBudget {
  /** Whether every replica is to spend the same; else deleted keys that cost no work are free. */
  readonly replicated: boolean;
  #left: number;

  constructor(units: number, replicated: boolean) {
    this.#left = units;
    this.replicated = replicated;
  }

  get spent(): boolean {
    return this.#left < 0;
  }

  /** False once more was asked for than there was. */
  spend(units: number): boolean {
    this.#left -= units;
    return this.#left >= 0;
  }

  spendOnValue(bytes: number): boolean {
    return this.spend(Math.floor(bytes / BYTES_PER_UNIT));
  }
}

/**
 * Shows the range's keys as of `revision` (0: now, changes under way included) in key order, until
 * `take` returns false. Where the budget ends, returns the first key not looked at; the first of
 * the range is looked at in any case.
 *
 * Replicas that stand at the same place of the log spend the same of a replicated budget: a deleted
 * key counts only as long as history tells of it, since when it goes after that is each replica's
 * own business.
 */
export function scanRange(
  { store, compaction }: RegistryState,
  range: KeyRange,
  revision: Revision,
  budget: ScanBudget,
  take: (record: KeyVersion) => boolean,
): ByteString | undefined {
  const asOf = revision === 0 ? store.nextRevision : revision;
  let isFirst = true;
  let stoppedAt: ByteString | undefined;
  const visit = (entry: KeyEntry): boolean => {
    const { latest } = entry;
    // Forgotten by some replicas: it must not even be the first of the range.
    if (latest.deleted && latest.modRevision <= compaction.compactRevision) return true;
    let units = 1;
    let version: KeyVersion | undefined = latest;
    for (; version !== undefined && version.modRevision > asOf; units++) version = version.previous;
    if (!budget.spend(units) && !isFirst) {
      stoppedAt = entry.key;
      return false;
    }
    isFirst = false;
    return version === undefined || version.deleted || take(version);
  };
  if (revision === 0 && !budget.replicated) store.scanLive(range, visit);
  else
    store.scan(
      range.start,
      (entry) => (range.end === undefined || entry.key < range.end) && visit(entry),
    );
  return stoppedAt;
}
