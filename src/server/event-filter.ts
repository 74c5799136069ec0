/** Which events of a range a watch is sent: a number, so that watches of one filter are grouped. */
import type { WatchFilter } from '../protocol/index.ts';
import { causeNumber, type KeyEvent, type RevisionEvents } from '../registry/index.ts';
import type { Brand } from '../base/index.ts';

/** Bits; those of the causes come last. */
export type EventFilter = Brand<number, 'EventFilter'>;

const PUTS = 1;
const DELETES = 2;
const PREVIOUS = 4;
const FIRST_CAUSE = 8;
const ANY_CAUSE = 0x3fff_fff8;
const ALL_EVENTS = PUTS | DELETES | ANY_CAUSE;

export function eventFilter({ types, causes, previous }: WatchFilter): EventFilter {
  let filter = previous ? PREVIOUS : 0;
  if (types !== 'delete') filter |= PUTS;
  if (types !== 'put') filter |= DELETES;
  if (causes.length === 0) filter |= ANY_CAUSE;
  for (const cause of causes) filter |= FIRST_CAUSE << causeNumber(cause);
  return filter as EventFilter;
}

/** Whether events carry what the key was before. */
export function wantsPrevious(filter: EventFilter): boolean {
  return (filter & PREVIOUS) !== 0;
}

function passes(filter: EventFilter, event: KeyEvent): boolean {
  if ((filter & (event.type === 'put' ? PUTS : DELETES)) === 0) return false;
  return (filter & (FIRST_CAUSE << causeNumber(event.cause))) !== 0;
}

/** The revisions that have events left, with those. */
export function selectEvents(
  revisions: readonly RevisionEvents[],
  filter: EventFilter,
): readonly RevisionEvents[] {
  if ((filter & ALL_EVENTS) === ALL_EVENTS) return revisions;
  const selected: RevisionEvents[] = [];
  for (const one of revisions) {
    const events = one.events.filter((event) => passes(filter, event));
    if (events.length === one.events.length) selected.push(one);
    else if (events.length > 0) selected.push({ revision: one.revision, events });
  }
  return selected;
}
