import type { KeyEntry } from './key-version.ts';
import type { ByteString, FencingToken, LockHolder, LockTerms, SessionId } from './types.ts';

/** One session's place in a lock's queue. */
export interface Place extends LockHolder {
  readonly entry: KeyEntry;
  readonly terms: LockTerms;
}

export function placeOf(entry: KeyEntry, session: SessionId, terms: LockTerms): Place {
  return { session, token: entry.latest.createRevision as number as FencingToken, entry, terms };
}

/**
 * One lock's queue keys. Strictly first come, first served: whoever holds joined before whoever
 * waits, and a place is granted exactly when all before it are and it goes together with them.
 * So grants come in the order of tokens, a waiting writer blocks later readers, and a wish for many
 * permits is not overtaken by smaller ones. What was granted stays so until it leaves.
 */
export class LockQueue {
  /** The lock's name; so called for the index by name. */
  readonly key: ByteString;
  /** Those of deleted keys too, as long as history tells of them: the past holders. */
  readonly entries: Set<KeyEntry> = new Set();
  /** Who holds, and who waits; each by `createRevision`, since whoever joins is the newest. */
  readonly granted: Map<SessionId, Place> = new Map();
  readonly waiting: Map<SessionId, Place> = new Map();
  /** Longest there; it holds. */
  first: Place | undefined;
  /** Of a semaphore, those given. */
  permits = 0;

  constructor(name: ByteString) {
    this.key = name;
  }

  /** The exclusive holder. */
  get holder(): LockHolder | undefined {
    const { first } = this;
    return first?.terms.mode === 'exclusive'
      ? { session: first.session, token: first.token }
      : undefined;
  }

  find(session: SessionId): Place | undefined {
    return this.granted.get(session) ?? this.waiting.get(session);
  }

  /** All places in order. */
  *places(): Generator<Place> {
    yield* this.granted.values();
    yield* this.waiting.values();
  }

  /** Whether who joins on these terms holds at once. */
  admits(terms: LockTerms): boolean {
    return this.waiting.size === 0 && this.#goesWithHolders(terms);
  }

  join(place: Place): void {
    if (this.admits(place.terms)) this.#grant(place);
    else this.waiting.set(place.session, place);
  }

  leave(session: SessionId): void {
    const place = this.granted.get(session);
    if (place === undefined) {
      this.waiting.delete(session);
    } else {
      this.granted.delete(session);
      this.permits -= place.terms.permits;
      if (this.first === place) this.first = this.#oldestHolder();
    }
    this.#grantMore();
  }

  /** After a load that did not follow the order of joining. */
  restoreOrder(): void {
    const places = [...this.places()].toSorted((a, b) => a.token - b.token);
    this.granted.clear();
    this.waiting.clear();
    this.first = undefined;
    this.permits = 0;
    for (const place of places) this.join(place);
  }

  #goesWithHolders(terms: LockTerms): boolean {
    if (this.granted.size === 0) return true;
    if (terms.mode === 'shared') return this.first?.terms.mode === 'shared';
    return terms.mode === 'semaphore' && this.permits + terms.permits <= terms.limit;
  }

  #grant(place: Place): void {
    this.granted.set(place.session, place);
    this.permits += place.terms.permits;
    this.first ??= place;
  }

  /** Grants to those who waited longest, up to the first that has to wait on. */
  #grantMore(): void {
    for (const place of this.waiting.values()) {
      if (!this.#goesWithHolders(place.terms)) return;
      this.waiting.delete(place.session);
      this.#grant(place);
    }
  }

  #oldestHolder(): Place | undefined {
    const oldest = this.granted.values().next();
    return oldest.done === true ? undefined : oldest.value;
  }
}
