/**
 * Who waits for a place in a lock's queue to be granted: told once, when it is, or when it is gone.
 *
 * Who holds follows from the queue alone, and grants come in the order of tokens. So when a queue
 * has changed, only those at the front of the line who are told, and one more, are looked at: a
 * release costs the same however many wait, and nobody is told who waits on.
 */
import {
  lockOfKey,
  queueKey,
  type LockPlaceRef,
  type LockStanding,
  type RevisionEvents,
} from '../registry/index.ts';

/** What waiting needs of the registry's state machine. */
export interface PlaceSource {
  /** The latest revision applied. */
  readonly revision: number;
  standingOf(place: LockPlaceRef): LockStanding;
}

/** One who waits. */
export interface GrantWait {
  readonly place: LockPlaceRef;
  /** The place is held, or gone. Not called any more once the wait was dropped. */
  readonly decided: () => void;
  /** The node serves no more: wait at another one. */
  readonly stopped: (why: string) => void;
}

/** Who waits in one queue, by token from the smallest. */
interface Line {
  waits: Set<GrantWait>;
  lastToken: number;
  inOrder: boolean;
}

export class Grants {
  readonly #source: PlaceSource;
  readonly #lines = new Map<string, Line>();
  /** The same ones by their queue keys: the change of such a key may be the end of a place. */
  readonly #byKey = new Map<string, Set<GrantWait>>();

  constructor(source: PlaceSource) {
    this.#source = source;
  }

  /** Begins to wait, unless it is decided: then that is told at once. */
  open(wait: GrantWait): void {
    if (this.#isDecided(wait)) {
      wait.decided();
      return;
    }
    const { name, session, token } = wait.place;
    const line = this.#lines.get(name) ?? { waits: new Set(), lastToken: 0, inOrder: true };
    if (token < line.lastToken) line.inOrder = false;
    line.lastToken = Math.max(line.lastToken, token);
    line.waits.add(wait);
    this.#lines.set(name, line);
    const key = queueKey(name, session);
    const ofKey = this.#byKey.get(key);
    if (ofKey === undefined) this.#byKey.set(key, new Set([wait]));
    else ofKey.add(wait);
  }

  /** Nobody wants to be told any more. */
  drop(wait: GrantWait): void {
    const { name, session } = wait.place;
    const line = this.#lines.get(name);
    line?.waits.delete(wait);
    if (line?.waits.size === 0) this.#lines.delete(name);
    const key = queueKey(name, session);
    const ofKey = this.#byKey.get(key);
    ofKey?.delete(wait);
    if (ofKey?.size === 0) this.#byKey.delete(key);
  }

  /** Something was applied; undefined: the state was replaced by a snapshot's. */
  applied(revisions: readonly RevisionEvents[] | undefined): void {
    if (this.#lines.size === 0) return;
    const decided = revisions === undefined ? this.#decidedOfAll() : this.#decidedBy(revisions);
    for (const wait of decided) {
      // Who was told before may have had it dropped.
      if (!this.#isOpen(wait)) continue;
      this.drop(wait);
      wait.decided();
    }
  }

  stop(why: string): void {
    const waits = [...this.#lines.values()].flatMap((line) => [...line.waits]);
    for (const wait of waits) {
      if (!this.#isOpen(wait)) continue;
      this.drop(wait);
      wait.stopped(why);
    }
  }

  #isOpen(wait: GrantWait): boolean {
    return this.#lines.get(wait.place.name)?.waits.has(wait) === true;
  }

  #decidedBy(revisions: readonly RevisionEvents[]): ReadonlySet<GrantWait> {
    const decided = new Set<GrantWait>();
    const changed = new Set<Line>();
    for (const { events } of revisions) {
      for (const { record } of events) {
        const name = lockOfKey(record.key);
        const line = name === undefined ? undefined : this.#lines.get(name);
        if (line === undefined) continue;
        changed.add(line);
        for (const wait of this.#byKey.get(record.key) ?? []) {
          if (this.#isDecided(wait)) decided.add(wait);
        }
      }
    }
    for (const line of changed) {
      for (const wait of inOrder(line)) {
        if (!this.#isDecided(wait)) break;
        decided.add(wait);
      }
    }
    return decided;
  }

  #decidedOfAll(): ReadonlySet<GrantWait> {
    const decided = new Set<GrantWait>();
    for (const { waits } of this.#lines.values()) {
      for (const wait of waits) if (this.#isDecided(wait)) decided.add(wait);
    }
    return decided;
  }

  #isDecided({ place }: GrantWait): boolean {
    // A token is the revision that made the place: here it may not have been applied yet.
    if (place.token > this.#source.revision) return false;
    return this.#source.standingOf(place) !== 'waits';
  }
}

function inOrder(line: Line): ReadonlySet<GrantWait> {
  if (!line.inOrder) {
    const sorted = [...line.waits].toSorted((a, b) => a.place.token - b.place.token);
    line.waits = new Set(sorted);
    line.inOrder = true;
  }
  return line.waits;
}
