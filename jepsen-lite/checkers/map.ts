/**
 * Named maps: `put`, `get` and `remove` of a key go to the cluster; a `view` is what one process
 * holds of it, `{ key: value }` as of a revision (value: `{ replica }`), and `wrote` notes what the
 * same process put.
 */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import { CommittedLog } from './committed-log.ts';
import { ruleChecker, type Rule } from './rules.ts';
import type { Checker } from './verdict.ts';
import { byCall, nameOf } from './values.ts';

interface MapHistory {
  readonly views: readonly View[];
  readonly wrote: readonly Operation[];
  readonly log: CommittedLog;
  /** Keys that somebody may have removed. */
  readonly removed: ReadonlySet<string>;
  readonly keys: readonly string[];
  /** What was put by calls whose revision nobody learned: it may be newer than what is known. */
  readonly open: ReadonlySet<string>;
}
interface View {
  readonly operation: Operation;
  readonly replica: string;
  readonly revision: number;
  readonly entries: Readonly<Record<string, unknown>>;
}

function viewOf(history: readonly Operation[]): MapHistory {
  const ordered = byCall(history);
  const log = new CommittedLog(history);
  return {
    views: ordered.filter(({ f }) => f === 'view').map(replicaView),
    wrote: ordered.filter(({ f }) => f === 'wrote'),
    log,
    removed: new Set(
      history
        .filter(({ f, type }) => (f === 'remove' || f === 'delete') && type !== 'fail')
        .map(({ key }) => key ?? ''),
    ),
    open: new Set(
      history
        .filter(({ f, type, revision }) => f === 'put' && type !== 'fail' && revision === undefined)
        .map(({ key, value }) => placeOf(key ?? '', JSON.stringify(value ?? null))),
    ),
    keys: [...new Set(log.changes.map(({ key }) => key))],
  };
}

function placeOf(key: string, value: string): string {
  return `${key} ${value}`;
}

function replicaView(operation: Operation): View {
  const { output, revision, value } = operation;
  const isObject = typeof output === 'object' && output !== null;
  return {
    operation,
    replica: nameOf(value, 'replica') ?? '',
    revision: revision ?? 0,
    entries: isObject ? (output as Readonly<Record<string, unknown>>) : {},
  };
}

const neverBack: Rule<MapHistory> = ({ views }) => {
  const last = new Map<string, View>();
  for (const view of views) {
    const before = last.get(view.replica);
    last.set(view.replica, view);
    if (before === undefined || before.revision <= view.revision) continue;
    const [a, b] = [describeOperation(before.operation), describeOperation(view.operation)];
    const message = `${b} is as of revision ${view.revision}, after ${a} as of ${before.revision}`;
    return { message, operations: [before.operation, view.operation] };
  }
  return undefined;
};

/** One revision is one state, in whichever process. */
const oneStatePerRevision: Rule<MapHistory> = ({ views }) => {
  const seen = new Map<number, View>();
  for (const view of views) {
    const other = seen.get(view.revision);
    if (other === undefined) {
      seen.set(view.revision, view);
      continue;
    }
    if (textOf(other) === textOf(view)) continue;
    const [a, b] = [describeOperation(other.operation), describeOperation(view.operation)];
    const message = `${a} and ${b} differ, though both are as of revision ${view.revision}`;
    return { message, operations: [other.operation, view.operation] };
  }
  return undefined;
};

function textOf({ entries }: View): string {
  return JSON.stringify(Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a process put through a map shows there at once. */
const ownWritesShow: Rule<MapHistory> = ({ views, wrote }) => {
  for (const write of wrote) {
    const replica = nameOf(write.value, 'replica') ?? '';
    const view = views.find((one) => one.replica === replica && one.operation.call >= write.call);
    if (view === undefined || view.revision >= (write.revision ?? 0)) continue;
    const message =
      `${describeOperation(view.operation)} is as of revision ${view.revision}, though the same ` +
      `process had put revision ${write.revision} before`;
    return { message, operations: [write, view.operation] };
  }
  return undefined;
};

/**
 * A view holds of each key the last change of its revision or before, as far as those are known.
 */
const viewsAreTrue: Rule<MapHistory> = ({ views, log, keys, removed, open }) => {
  for (const { operation, revision, entries } of views) {
    for (const key of keys) {
      const change = log.before(key, revision + 1);
      if (change === undefined || removed.has(key)) continue;
      const shown = JSON.stringify(entries[key] ?? null);
      if (shown === change.value || open.has(placeOf(key, shown))) continue;
      const message =
        `${describeOperation(operation)} as of revision ${revision} does not show ${key} as ` +
        `${describeOperation(change.source)} had put it at revision ${change.revision}`;
      return { message, operations: [change.source, operation] };
    }
  }
  return undefined;
};

export const map: Checker = ruleChecker({
  name: 'map',
  promise: 'every process holds a map as it was at some revision, and never an older one again',
  view: viewOf,
  rules: [neverBack, oneStatePerRevision, ownWritesShow, viewsAreTrue],
  counts: ({ views, log }) => ({ views: views.length, changes: log.changes.length }),
});
