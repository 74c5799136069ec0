import { ExpiryQueue } from './expiry-queue.ts';
import { History } from './history.ts';
import { KeyTable } from './key-table.ts';
import { copyVersion, EMPTY_VALUE, KeyEntry, KeyVersion, type StoredValue } from './key-version.ts';
import { isQueueKey, LockTable } from './locks.ts';
import { MapTallies } from './map-tallies.ts';
import { OrderedIndex } from './ordered-index.ts';
import { isReserved } from './reserved-keys.ts';
import { SessionTable } from './sessions.ts';
import { TableSizes } from './table-sizes.ts';
import type { ByteString, KeyEvent, KeyRange, KeyRecord, Revision, SessionId } from './types.ts';

/** Of a record in a snapshot, besides key and value: revisions, times, lengths; about. */
export const RECORD_OVERHEAD_BYTES = 24;

/** What a put decides; the rest of the record follows from where it is put. */
export interface KeyDraft {
  readonly key: ByteString;
  readonly stored: StoredValue;
  /** 0: none. */
  readonly session: SessionId;
  readonly expiresAt: number | undefined;
  readonly node: ByteString;
}

interface ChangeListener {
  /** `version` is the entry's latest now, of the revision under way. */
  changed(entry: KeyEntry, version: KeyVersion): void;
}

/**
 * Every version of every key that may still be read, with the indexes derived from them: order,
 * expiry, locks, sizes of maps and tables, sessions' keys, history. Changes gather until `commit`
 * gives them one revision.
 */
export class MvccStore {
  readonly sessions: SessionTable = new SessionTable();
  readonly locks: LockTable = new LockTable();
  readonly maps: MapTallies = new MapTallies();
  readonly tables: TableSizes = new TableSizes();
  readonly expiry: ExpiryQueue = new ExpiryQueue();
  readonly history: History;
  readonly #table = new KeyTable();
  readonly #index = new OrderedIndex<KeyEntry>((entry) => entry.live !== undefined);
  /** Of the revision under way. */
  #changes: KeyEvent | KeyEvent[] | undefined;
  #liveKeys = 0;
  #liveBytes = 0;
  /** Told of every version that becomes the latest of its key. */
  listener: ChangeListener | undefined;
  /** Cluster time in ms: of the entry being applied, or of the last one. */
  time: number;
  /** Log index of the command being applied, or of the last one; 0 before the first. */
  index = 0;

  /** Empty, as of `revision`. */
  constructor(revision: Revision, time: number) {
    this.history = new History(revision);
    this.time = time;
  }

  get revision(): Revision {
    return this.history.last;
  }

  /** The revision the changes under way will have. */
  get nextRevision(): Revision {
    return (this.history.last + 1) as Revision;
  }

  get liveKeys(): number {
    return this.#liveKeys;
  }

  /** About what the live keys take in a snapshot; follows from the state alone. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** The key's entry, also when it is deleted but told of by history. */
  find(key: ByteString): KeyEntry | undefined {
    return this.#table.get(key);
  }

  /** Entries in key order from `start` on, until `visit` returns false. */
  scan(start: ByteString, visit: (entry: KeyEntry) => boolean): void {
    this.#index.scan(start, visit);
  }

  /**
   * Entries of a range in key order, until `visit` returns false: the live ones, and a few of those
   * that are deleted, which hardly add to the cost however many there are.
   */
  scanLive({ start, end }: KeyRange, visit: (entry: KeyEntry) => boolean): void {
    this.#index.scanCounted(start, end, visit);
  }

  /** How many live keys a range has; the cost hardly depends on how many. */
  countLive({ start, end }: KeyRange): number {
    return this.#index.count(start, end);
  }

  /** Creates or replaces a key as part of the revision under way. */
  put(draft: KeyDraft): KeyVersion {
    const { key, session } = draft;
    const entry = this.#table.get(key);
    const before = entry?.live;
    const revision = this.nextRevision;
    const version = new KeyVersion(
      entry?.key ?? key,
      draft.stored,
      before === undefined ? revision : before.createRevision,
      revision,
      before === undefined ? 1 : before.version + 1,
      session,
      draft.expiresAt,
      draft.node,
      this.time,
      entry?.latest,
    );
    this.#changed({ type: 'put', record: version, previous: before, cause: 'request' });
    this.#install(entry, version);
    return version;
  }

  /** Deletes a live key as part of the revision under way; `stored` says why, if anything does. */
  remove(
    entry: KeyEntry,
    cause: KeyEvent['cause'],
    node: ByteString,
    stored: StoredValue = EMPTY_VALUE,
  ): void {
    const before = entry.latest;
    const tombstone = new KeyVersion(
      entry.key,
      stored,
      0 as Revision,
      this.nextRevision,
      0,
      0 as SessionId,
      undefined,
      node,
      this.time,
      before,
    );
    this.#changed({ type: 'delete', record: tombstone, previous: before, cause });
    this.#install(entry, tombstone);
  }

  /** Ends the command: its changes, if any, become the next revision. */
  commit(): Revision {
    const changes = this.#changes;
    if (changes === undefined) return this.history.last;
    this.#changes = undefined;
    this.history.append(changes);
    return this.history.last;
  }

  #changed(event: KeyEvent): void {
    const changes = this.#changes;
    if (changes === undefined) this.#changes = event;
    else if ('record' in changes) this.#changes = [changes, event];
    else changes.push(event);
  }

  /** Takes over a record from a snapshot as the oldest version of its key. */
  load(record: KeyRecord): void {
    this.#install(undefined, copyVersion(record, undefined));
  }

  /** Takes over a change from a snapshot's history as part of the revision under way. */
  replay(type: KeyEvent['type'], record: KeyRecord, cause: KeyEvent['cause']): void {
    const entry = this.#table.get(record.key);
    const version = copyVersion(record, entry?.latest);
    this.#changed({ type, record: version, previous: entry?.live, cause });
    this.#install(entry, version);
  }

  /** Forgets a deleted key: no permitted read can find it any more. */
  forget(entry: KeyEntry): void {
    this.#table.delete(entry.key);
    this.#index.remove(entry.key);
    if (isQueueKey(entry.key)) this.locks.untrack(entry);
  }

  /** Makes `version` the latest and brings every index in line. */
  #install(known: KeyEntry | undefined, version: KeyVersion): void {
    const before = known?.live;
    const entry = known ?? this.#insert(version);
    entry.latest = version;
    this.#liveBytes += weightOf(version) - (before === undefined ? 0 : weightOf(before));
    if (entry.expirySlot >= 0 || version.expiresAt !== undefined) this.expiry.update(entry);
    const wasLive = before !== undefined;
    if (wasLive === version.deleted) {
      if (known !== undefined) this.#index.recount(entry.key, wasLive ? -1 : 1);
      this.#cameOrWent(entry, wasLive);
    }
    const owner = before === undefined ? 0 : before.session;
    if (owner !== version.session) this.#changeOwner(entry, owner as SessionId, version.session);
    if (this.listener !== undefined) this.listener.changed(entry, version);
  }

  #insert(version: KeyVersion): KeyEntry {
    const entry = new KeyEntry(version);
    this.#table.add(entry);
    this.#index.insert(entry);
    if (isQueueKey(entry.key)) this.locks.track(entry);
    return entry;
  }

  #cameOrWent(entry: KeyEntry, went: boolean): void {
    this.#liveKeys += went ? -1 : 1;
    if (isReserved(entry.key)) {
      this.maps.changed(entry.key, went ? -1 : 1);
      this.tables.changed(entry.key, went ? -1 : 1);
      return;
    }
    if (!isQueueKey(entry.key)) return;
    if (went) this.locks.left(entry);
    else this.locks.joined(entry);
  }

  #changeOwner(entry: KeyEntry, from: SessionId, to: SessionId): void {
    if (from !== 0) this.sessions.get(from)?.disown(entry);
    if (to !== 0) this.sessions.get(to)?.own(entry);
  }
}

function weightOf(version: KeyVersion): number {
  return version.deleted ? 0 : RECORD_OVERHEAD_BYTES + version.key.length + version.stored.length;
}
