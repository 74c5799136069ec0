/** What a watch yields: made of what the registry sends. */
import type { KeyEvent, RevisionEvents } from '../registry/index.ts';
import { edgeRecord } from './edge.ts';
import type { WatchEvent, WatchProgress } from './watch-types.ts';

export interface WatchItems<Item> {
  /** `last`: no more events of this revision follow. */
  event(event: KeyEvent, revision: number, last: boolean): Item;
  /** Undefined: marks are not shown. */
  readonly progress: ((revision: number) => Item) | undefined;
}

export const EVENTS: WatchItems<WatchEvent> = { event: watchEvent, progress: undefined };

export const EVENTS_AND_PROGRESS: WatchItems<WatchEvent | WatchProgress> = {
  event: watchEvent,
  progress: (revision) => ({ type: 'progress', revision }),
};

/** A revision without events is a mark. */
export function appendItems<Item>(
  list: Item[],
  { revision, events }: RevisionEvents,
  items: WatchItems<Item>,
): void {
  if (events.length === 0 && items.progress !== undefined) list.push(items.progress(revision));
  const lastIndex = events.length - 1;
  events.forEach((event, i) => list.push(items.event(event, revision, i === lastIndex)));
}

function watchEvent(event: KeyEvent, revision: number, last: boolean): WatchEvent {
  const record = edgeRecord(event.record, undefined);
  const previous = event.previous === undefined ? undefined : edgeRecord(event.previous, undefined);
  return {
    type: event.type,
    revision,
    key: record.key,
    record,
    previous,
    cause: event.cause,
    last,
  };
}
