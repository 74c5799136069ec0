import type { KeyEntry } from './key-version.ts';
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
 * session it names.
 */
export function isQueueKey(key: ByteString): boolean {
  const slash = key.length - SUFFIX_LENGTH;
  if (slash < 0 || key.charCodeAt(slash) !== SLASH) return false;
  for (let at = slash + 1; at < key.length; at++) {
    const code = key.charCodeAt(at);
    const digit = code >= ZERO && code <= NINE;
    if (!digit && (code < LETTER_A || code > LETTER_F)) return false;
  }
  return true;
}

/** The lock a queue key belongs to. */
function lockName(key: ByteString): ByteString {
  return key.slice(0, key.length - SUFFIX_LENGTH);
}

/** One lock's queue keys. */
class LockQueue {
  /** Those of deleted keys too, as long as history tells of them: the past holders. */
  readonly entries: Set<KeyEntry> = new Set();
  /** By `createRevision`: whoever joins is the newest. */
  readonly waiting: Map<SessionId, KeyEntry> = new Map();
  holder: LockHolder | undefined;

  /** To be called when the first in the queue may have changed. */
  updateHolder(): void {
    const first = this.waiting.values().next();
    this.holder = first.done === true ? undefined : holderOf(first.value);
  }
}

function holderOf(entry: KeyEntry): LockHolder {
  const { session, createRevision } = entry.latest;
  return { session, token: createRevision as number as FencingToken };
}

/**
 * Who waits for which lock: an index over the queue keys, derived from them alone and never stored,
 * so that a write can look up a name's holder in constant time.
 */
export class LockTable {
  readonly #queues: Map<ByteString, LockQueue> = new Map();

  queue(name: ByteString): LockQueue | undefined {
    return this.#queues.size === 0 ? undefined : this.#queues.get(name);
  }

  holder(name: ByteString): LockHolder | undefined {
    return this.queue(name)?.holder;
  }

  /** Who held the lock as of an earlier revision that is not compacted yet. */
  holderAt(name: ByteString, revision: Revision): LockHolder | undefined {
    let holder: LockHolder | undefined;
    for (const entry of this.queue(name)?.entries ?? []) {
      const version = entry.at(revision);
      if (version === undefined) continue;
      const token = version.createRevision as number as FencingToken;
      if (holder === undefined || token < holder.token) {
        holder = { session: version.session, token };
      }
    }
    return holder;
  }

  /** A queue key has an entry in the store from now on. */
  track(entry: KeyEntry): void {
    const name = lockName(entry.key);
    const queue = this.#queues.get(name) ?? new LockQueue();
    if (queue.entries.size === 0) this.#queues.set(name, queue);
    queue.entries.add(entry);
  }

  /** The store forgets a deleted queue key. */
  untrack(entry: KeyEntry): void {
    const name = lockName(entry.key);
    const queue = this.#queues.get(name);
    queue?.entries.delete(entry);
    if (queue?.entries.size === 0) this.#queues.delete(name);
  }

  joined(entry: KeyEntry): void {
    const queue = this.#queues.get(lockName(entry.key))!;
    queue.waiting.set(entry.latest.session, entry);
    if (queue.holder === undefined) queue.updateHolder();
  }

  left(entry: KeyEntry, session: SessionId): void {
    const queue = this.#queues.get(lockName(entry.key))!;
    queue.waiting.delete(session);
    if (queue.holder?.session === session) queue.updateHolder();
  }

  /** Puts queues back in order after a load that did not follow the order of joining. */
  restoreOrder(): void {
    for (const queue of this.#queues.values()) {
      const entries = [...queue.waiting.values()];
      entries.sort((a, b) => a.latest.createRevision - b.latest.createRevision);
      queue.waiting.clear();
      for (const entry of entries) queue.waiting.set(entry.latest.session, entry);
      queue.updateHolder();
    }
  }

  /** The queue, the holder first. */
  holders(name: ByteString): LockHolder[] {
    return Array.from(this.queue(name)?.waiting.values() ?? [], holderOf);
  }
}
