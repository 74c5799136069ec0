import { invariant } from '../base/index.ts';
import type { ByteString, KeyEvent, Revision, RevisionEvents } from './types.ts';

/** Dropped revisions tolerated at the front of the list before it is moved up. */
const SLACK = 1024;
/** Revisions one `since` looks at before it returns, found something or not. */
const MAX_SCANNED = 16_384;

export type EventsSince =
  /** `next`: the first revision not looked at; above the latest when there are no more. */
  | {
      readonly type: 'events';
      readonly events: readonly RevisionEvents[];
      readonly next: Revision;
    }
  /** History begins after `compactRevision`. */
  | { readonly type: 'compacted'; readonly compactRevision: Revision };

/**
 * What one revision changed. Most change one key: kept without a list around it, of which there
 * would be as many as there are revisions.
 */
export type Changes = KeyEvent | readonly KeyEvent[];

export function changeCount(changes: Changes): number {
  return 'record' in changes ? 1 : changes.length;
}

/** `place` is from 0 to below the count. */
export function changeAt(changes: Changes, place: number): KeyEvent {
  return 'record' in changes ? changes : changes[place]!;
}

function eventsOf(changes: Changes): RevisionEvents {
  const events = 'record' in changes ? [changes] : changes;
  return { revision: events[0]!.record.modRevision, events };
}

/** What each revision changed, oldest first, without gaps. */
export class History {
  readonly #items: Changes[] = [];
  /** Place of the oldest kept. */
  #head = 0;
  #last: Revision;

  /** `last`: the revision before the first to be appended. */
  constructor(last: Revision) {
    this.#last = last;
  }

  get last(): Revision {
    return this.#last;
  }

  /** Changes of the next revision: one at least. */
  append(changes: Changes): void {
    const revision = changeAt(changes, 0).record.modRevision;
    invariant(revision === this.#last + 1, 'history has no gaps', revision);
    this.#items.push(changes);
    this.#last = revision;
  }

  /** Undefined when it was dropped or is yet to come. */
  at(revision: number): Changes | undefined {
    const place = this.#items.length - 1 - (this.#last - revision);
    return place < this.#head ? undefined : this.#items[place];
  }

  /** Forgets the oldest revision. */
  dropFirst(): void {
    this.#head++;
    if (this.#head < SLACK || this.#head * 2 < this.#items.length) return;
    this.#items.splice(0, this.#head);
    this.#head = 0;
  }

  /** Everything kept from `from` on. */
  slice(from: number): RevisionEvents[] {
    const place = this.#items.length - 1 - (this.#last - from);
    return this.#items.slice(Math.max(place, this.#head)).map(eventsOf);
  }

  /**
   * Changes of keys from `start` to before `end`, of at most `limit` revisions from `from` on that
   * have any. A revision is never given in part, except that keys outside are left out.
   */
  since(from: number, start: ByteString, end: ByteString | undefined, limit: number): EventsSince {
    const events: RevisionEvents[] = [];
    const stop = Math.min(this.#last, from + MAX_SCANNED - 1);
    let next = from;
    for (; next <= stop && events.length < limit; next++) {
      const within = filterRevision(this.at(next)!, start, end);
      if (within !== undefined) events.push(within);
    }
    return { type: 'events', events, next: next as Revision };
  }
}

/** The events of keys from `start` to before `end`; undefined when there are none. */
function filterRevision(
  changes: Changes,
  start: ByteString,
  end: ByteString | undefined,
): RevisionEvents | undefined {
  const within = ({ record }: KeyEvent): boolean =>
    record.key >= start && (end === undefined || record.key < end);
  if ('record' in changes) return within(changes) ? eventsOf(changes) : undefined;
  const kept = changes.filter(within);
  return kept.length === 0 ? undefined : eventsOf(kept);
}
