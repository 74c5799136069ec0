import type { KeyEntry } from './key-version.ts';
import { LockQueue, placeOf, type Place } from './lock-queue.ts';
import { readTerms } from './lock-terms.ts';
import { OrderedIndex } from './ordered-index.ts';
import { isReserved } from './reserved-keys.ts';
import type { ByteString, FencingToken, LockHolder, Revision, SessionId } from './types.ts';

const ID_DIGITS = 16;
const SUFFIX_LENGTH = ID_DIGITS + 1;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_A = 0x61;
const LETTER_F = 0x66;
const SLASH = 0x2f;

/** The key that stands for `session` in the queue of the lock `name`. */
export function queueKey(name: ByteString, session: SessionId): ByteString {
  return `${name}/${session.toString(16).padStart(ID_DIGITS, '0')}`;
}

/**
 * Whether a key has the shape of a queue key: it ends in `/` and 16 lowercase hex digits. Such keys
 * are reserved: only locking and unlocking write them, so that every one there is owned by the live
 * session it names, or by none while the lock-delay of one that expired lasts. Keys of other kinds
 * that are reserved may end like that, and are none.
 */
export function isQueueKey(key: ByteString): boolean {
  const slash = key.length - SUFFIX_LENGTH;
  if (slash < 0 || key.charCodeAt(slash) !== SLASH || isReserved(key)) return false;
  for (let at = slash + 1; at < key.length; at++) {
    const code = key.charCodeAt(at);
    const digit = code >= ZERO && code <= NINE;
    if (!digit && (code < LETTER_A || code > LETTER_F)) return false;
  }
  return true;
}

/** The lock in whose queue a key is; undefined for any other key. */
export function lockOfKey(key: ByteString): ByteString | undefined {
  return isQueueKey(key) ? lockName(key) : undefined;
}

/** The lock a queue key belongs to. */
function lockName(key: ByteString): ByteString {
  return key.slice(0, key.length - SUFFIX_LENGTH);
}

/** The session a queue key stands for. */
function sessionOf(key: ByteString): SessionId {
  return Number.parseInt(key.slice(-ID_DIGITS), 16) as SessionId;
}

/**
 * Who holds and waits for which lock: an index over the queue keys, derived from them alone and
 * never stored, so that a write can look up a name's holder in constant time.
 */
export class LockTable {
  readonly #queues: Map<ByteString, LockQueue> = new Map();
  readonly #byName = new OrderedIndex<LockQueue>();

  queue(name: ByteString): LockQueue | undefined {
    return this.#queues.size === 0 ? undefined : this.#queues.get(name);
  }

  /** The exclusive holder. */
  holder(name: ByteString): LockHolder | undefined {
    return this.queue(name)?.holder;
  }

  /** Who held the lock exclusively as of an earlier revision that is not compacted yet. */
  holderAt(name: ByteString, revision: Revision): LockHolder | undefined {
    let oldest: { readonly mode: string; readonly holder: LockHolder } | undefined;
    for (const entry of this.queue(name)?.entries ?? []) {
      const version = entry.at(revision);
      if (version === undefined) continue;
      const token = version.createRevision as number as FencingToken;
      if (oldest !== undefined && token > oldest.holder.token) continue;
      const { mode } = readTerms(version.stored).terms;
      oldest = { mode, holder: { session: sessionOf(entry.key), token } };
    }
    return oldest?.mode === 'exclusive' ? oldest.holder : undefined;
  }

  /** The place that a queue key stands for, if it is granted; undefined for any other key. */
  heldPlace(entry: KeyEntry): Place | undefined {
    if (!isQueueKey(entry.key)) return undefined;
    return this.queue(lockName(entry.key))?.granted.get(sessionOf(entry.key));
  }

  /** Queues in the order of their names, empty ones that history tells of too. */
  scan(start: ByteString, visit: (queue: LockQueue) => boolean): void {
    this.#byName.scan(start, visit);
  }

  /** A queue key has an entry in the store from now on. */
  track(entry: KeyEntry): void {
    const name = lockName(entry.key);
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new LockQueue(name);
      this.#queues.set(name, queue);
      this.#byName.insert(queue);
    }
    queue.entries.add(entry);
  }

  /** The store forgets a deleted queue key. */
  untrack(entry: KeyEntry): void {
    const name = lockName(entry.key);
    const queue = this.#queues.get(name);
    queue?.entries.delete(entry);
    if (queue?.entries.size !== 0) return;
    this.#queues.delete(name);
    this.#byName.remove(name);
  }

  joined(entry: KeyEntry): void {
    const { terms } = readTerms(entry.latest.stored);
    const place = placeOf(entry, sessionOf(entry.key), terms);
    this.#queues.get(lockName(entry.key))!.join(place);
  }

  left(entry: KeyEntry): void {
    this.#queues.get(lockName(entry.key))!.leave(sessionOf(entry.key));
  }

  /** Puts queues back in order after a load that did not follow the order of joining. */
  restoreOrder(): void {
    for (const queue of this.#queues.values()) queue.restoreOrder();
  }
}
