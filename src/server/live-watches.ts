/** The watches that are told of every batch at once: by range, and within it by filter. */
import type { KeyEvent, RevisionEvents } from '../registry/index.ts';
import type { EventFilter } from './event-filter.ts';
import { RangeIndex, type KeyRange } from './range-index.ts';
import type { Watcher } from './watcher.ts';

/** Watches of one range and one filter: they are sent the same bytes. */
export interface WatchGroup {
  readonly filter: EventFilter;
  readonly watchers: Set<Watcher>;
}

/** The groups of one range, and what the batch being dispatched changed in it. */
interface WatchedRange extends KeyRange {
  readonly groups: Map<EventFilter, WatchGroup>;
  pending: { readonly revision: RevisionEvents['revision']; readonly events: KeyEvent[] }[];
}

/** What a batch changed in one range, for each of its groups to take from. */
export interface RangeChanges {
  readonly groups: Iterable<WatchGroup>;
  readonly revisions: readonly RevisionEvents[];
}

export class LiveWatches {
  readonly #ranges = new RangeIndex<WatchedRange>();

  get isEmpty(): boolean {
    return this.#ranges.size === 0;
  }

  add(watcher: Watcher): void {
    const { start, end, filter } = watcher;
    let range = this.#ranges.get(watcher);
    if (range === undefined) {
      range = { start, end, groups: new Map(), pending: [] };
      this.#ranges.add(range);
    }
    const group = range.groups.get(filter);
    if (group === undefined) range.groups.set(filter, { filter, watchers: new Set([watcher]) });
    else group.watchers.add(watcher);
  }

  remove(watcher: Watcher): void {
    const range = this.#ranges.get(watcher);
    const group = range?.groups.get(watcher.filter);
    if (range === undefined || group === undefined) return;
    group.watchers.delete(watcher);
    if (group.watchers.size > 0) return;
    range.groups.delete(watcher.filter);
    if (range.groups.size === 0) this.#ranges.remove(range);
  }

  *groups(): IterableIterator<WatchGroup> {
    for (const range of this.#ranges) yield* range.groups.values();
  }

  /** Every range in which something changed. */
  collect(applied: readonly RevisionEvents[]): RangeChanges[] {
    const touched: WatchedRange[] = [];
    let revision: RevisionEvents['revision'];
    let event: KeyEvent;
    const collect = (range: WatchedRange): void => {
      const newest = range.pending.at(-1);
      if (newest === undefined) touched.push(range);
      if (newest?.revision === revision) newest.events.push(event);
      else range.pending.push({ revision, events: [event] });
    };
    for (const one of applied) {
      revision = one.revision;
      for (event of one.events) this.#ranges.visit(event.record.key, collect);
    }
    return touched.map((range) => {
      const revisions = range.pending;
      range.pending = [];
      return { groups: range.groups.values(), revisions };
    });
  }
}
