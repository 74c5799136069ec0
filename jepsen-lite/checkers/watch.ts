/** What watches tell, against each other and against the writes that were acknowledged. */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import { CommittedLog, putsIn, type Change } from './committed-log.ts';
import { ruleChecker, type Rule } from './rules.ts';
import type { Checker } from './verdict.ts';
import { fieldOf, numberOf } from './values.ts';
import { isWanted, segmentsOf, toldUpTo, type Segment } from './watch-streams.ts';

interface WatchHistory {
  readonly segments: readonly Segment[];
  readonly log: CommittedLog;
  /** What may have removed a key without anybody seeing at which revision. */
  readonly removals: readonly Operation[];
  readonly put: ReadonlyMap<string, ReadonlySet<string>>;
}

/** `expires`: from then on the key may go by itself. */
const REMOVALS: ReadonlySet<string> = new Set(['delete', 'expires']);
const OTHER_WRITES: ReadonlySet<string> = new Set(['increment', 'append', 'store']);

/** Two watches, or a watch and a writer, never tell of different changes. */
const agreement: Rule<WatchHistory> = ({ log }) => log.conflict;

const inOrder: Rule<WatchHistory> = ({ segments }) => {
  for (const { watch, told } of segments) {
    let before: Operation | undefined;
    const keys = new Set<string>();
    for (const one of told) {
      const [newer, older] = [one.revision ?? 0, before?.revision ?? 0];
      if (before !== undefined && newer < older) {
        return pair(before, one, (a, b) => `watch ${watch} was told ${b} after ${a}`);
      }
      if (before !== undefined && newer === older && isComplete(before) && one.f === 'event') {
        return pair(before, one, (a, b) => {
          return `watch ${watch} was told ${b}, though ${a} had closed revision ${newer}`;
        });
      }
      if (newer !== older) keys.clear();
      if (one.f === 'event' && keys.has(one.key ?? '')) {
        const message = `watch ${watch} was told twice of ${describeOperation(one)}`;
        return { message, operations: [one] };
      }
      keys.add(one.key ?? '');
      before = one;
    }
  }
  return undefined;
};

function isComplete({ f, output }: Operation): boolean {
  return f === 'progress' || fieldOf(output, 'last') === true;
}

function pair(
  first: Operation,
  second: Operation,
  message: (first: string, second: string) => string,
): { readonly message: string; readonly operations: readonly Operation[] } {
  const text = message(describeOperation(first), describeOperation(second));
  return { message: text, operations: [first, second] };
}

/** Only what was asked for, and nothing from before the revision that was asked for. */
const onlyWanted: Rule<WatchHistory> = ({ segments }) => {
  for (const segment of segments) {
    for (const one of segment.told) {
      if (one.f !== 'event') continue;
      const isEarly = (one.revision ?? 0) < (segment.from ?? 0);
      if (!isEarly && isWanted(segment, one.key ?? '', String(fieldOf(one.output, 'type'))))
        continue;
      const asked = JSON.stringify(segment.begin.value);
      const [name, event] = [segment.watch, describeOperation(one)];
      const message = `watch ${name}, which asked for ${asked}, was told ${event}`;
      return { message, operations: [segment.begin, one] };
    }
  }
  return undefined;
};

/** Every change it asked for, up to where it was told that nothing is missing. */
const nothingMissing: Rule<WatchHistory> = ({ segments, log }) => {
  for (const segment of segments) {
    if (segment.from === undefined) continue;
    const told = new Set(segment.told.map(({ revision, key }) => `${revision} ${key}`));
    for (const change of log.between(segment.from, toldUpTo(segment))) {
      const { key, revision, type, source } = change;
      if (!isWanted(segment, key, type) || told.has(`${revision} ${key}`)) continue;
      const later = segment.told.find((one) => (one.revision ?? 0) >= revision);
      const seen = later === undefined ? 'what came later' : describeOperation(later);
      const message =
        `watch ${segment.watch} was told ${seen}, but never of ` +
        `${describeOperation(source)} at revision ${revision}`;
      return { message, operations: later === undefined ? [source] : [source, later] };
    }
  }
  return undefined;
};

/** What is told was put by somebody, where all that put the key are in the history. */
const nothingInvented: Rule<WatchHistory> = ({ segments, put }) => {
  for (const one of segments.flatMap(({ told }) => told)) {
    const values = put.get(one.key ?? '');
    if (values === undefined || fieldOf(one.output, 'type') !== 'put') continue;
    if (values.has(JSON.stringify(fieldOf(one.output, 'value') ?? null))) continue;
    return { message: `${describeOperation(one)} tells of what nobody put`, operations: [one] };
  }
  return undefined;
};

/** By key, what may have been put, as JSON text; only of keys that are put and swapped, no more. */
function putsOf(history: readonly Operation[]): ReadonlyMap<string, ReadonlySet<string>> {
  const puts = new Map<string, Set<string>>();
  const others = new Set<string>();
  for (const operation of history) {
    const { f, key, type } = operation;
    if (type === 'fail') continue;
    if (OTHER_WRITES.has(f)) others.add(key ?? '');
    for (const [written, value] of putsIn(operation)) {
      const values = puts.get(written) ?? new Set<string>();
      puts.set(written, values);
      values.add(JSON.stringify(value ?? null));
    }
  }
  for (const key of others) puts.delete(key);
  return puts;
}

/** What a key was before is what the log has before; a key that is called new was not there. */
const previousIsTrue: Rule<WatchHistory> = ({ segments, log, removals }) => {
  for (const segment of segments) {
    for (const one of segment.told) {
      const previous = fieldOf(one.output, 'previous');
      if (one.f !== 'event' || previous === undefined) continue;
      const before = log.before(one.key ?? '', one.revision ?? 0);
      if (before === undefined) continue;
      const isTrue =
        previous === null ? mayBeNew(segment, before, one, removals) : isLast(previous, before);
      if (isTrue) continue;
      const message =
        `${describeOperation(one)} tells of a value before it that was not the last: ` +
        `that was ${describeOperation(before.source)} at revision ${before.revision}`;
      return { message, operations: [before.source, one] };
    }
  }
  return undefined;
};

/** Removed since the last change that is known, unless this watch would have been told of that. */
function mayBeNew(
  { from, events }: Segment,
  before: Change,
  event: Operation,
  removals: readonly Operation[],
): boolean {
  if (before.type === 'delete') return true;
  if (from !== undefined && from <= before.revision && events === undefined) return false;
  return removals.some((removal) => mayLieBetween(removal, before.source, event));
}

/** Whether a removal of their key may have taken place after the one and before the other. */
function mayLieBetween(removal: Operation, before: Operation, after: Operation): boolean {
  if (removal.key !== after.key || removal.call > after.call) return false;
  // When the change was made that only a watch told of, nobody knows.
  if (removal.f === 'expires' || before.f === 'event') return true;
  return (removal.return ?? Infinity) >= before.call;
}

/** The log may lack a change that nobody saw, so a newer one than it knows is possible. */
function isLast(previous: unknown, { type, revision, value }: Change): boolean {
  const told = numberOf(previous, 'revision') ?? 0;
  if (told !== revision) return told > revision;
  return type === 'put' && JSON.stringify(fieldOf(previous, 'value') ?? null) === value;
}

/** Where to go on lies ahead. */
const resumesAhead: Rule<WatchHistory> = ({ segments }) => {
  for (const { ended, from, watch } of segments) {
    if (ended === undefined || fieldOf(ended.output, 'code') !== 'compacted') continue;
    const resumeFrom = numberOf(ended.output, 'resumeFrom') ?? 0;
    if (from === undefined || resumeFrom > from) continue;
    const end = describeOperation(ended);
    const message = `watch ${watch} from revision ${from} is to resume no later: ${end}`;
    return { message, operations: [ended] };
  }
  return undefined;
};

export const watch: Checker = ruleChecker({
  name: 'watch',
  promise: 'watches tell every change, in order, once, whole revisions at a time',
  view: (history) => ({
    segments: [...segmentsOf(history).values()].flat(),
    log: new CommittedLog(history),
    put: putsOf(history),
    removals: history.filter(({ f, type }) => REMOVALS.has(f) && type !== 'fail'),
  }),
  takes: 'an event or a progress mark',
  couldFail: ({ segments }) => segments.some(({ told }) => told.length > 0),
  rules: [
    agreement,
    inOrder,
    onlyWanted,
    nothingMissing,
    nothingInvented,
    previousIsTrue,
    resumesAhead,
  ],
  counts: ({ segments, log }) => ({
    changes: log.changes.length,
    watches: segments.length,
    told: segments.reduce((sum, { told }) => sum + told.length, 0),
  }),
});
