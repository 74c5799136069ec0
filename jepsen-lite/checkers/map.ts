/**
 * Named maps as processes hold them. A `view` (value: `{ replica }`) is all that one process shows
 * at a moment: `{ key: { value, revision } }`, complete up to its own `revision`, and with what the
 * same process changed since, which it notes as `wrote` (value: `{ replica }`).
 */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import { CommittedLog } from './committed-log.ts';
import { ruleChecker, type Rule } from './rules.ts';
import type { Checker } from './verdict.ts';
import { byCall, fieldOf, nameOf, numberOf } from './values.ts';

interface MapHistory {
  /** In order, of all replicas. */
  readonly views: readonly View[];
  readonly wrote: readonly Operation[];
  readonly log: CommittedLog;
  /** Keys whose changes are known. */
  readonly keys: readonly string[];
  /** Keys that somebody may have removed. */
  readonly removed: ReadonlySet<string>;
}
interface View {
  readonly operation: Operation;
  readonly replica: string;
  readonly revision: number;
  readonly entries: ReadonlyMap<string, Entry>;
}
interface Entry {
  /** As JSON text. */
  readonly value: string;
  readonly revision: number;
}

function viewOf(history: readonly Operation[]): MapHistory {
  const ordered = byCall(history);
  const log = new CommittedLog(history);
  const removals = history.filter(
    ({ f, type }) => (f === 'remove' || f === 'delete') && type !== 'fail',
  );
  return {
    views: ordered.filter(({ f }) => f === 'view').map(replicaView),
    wrote: ordered.filter(({ f }) => f === 'wrote'),
    log,
    keys: [...new Set(log.changes.map(({ key }) => key))],
    removed: new Set(removals.map(({ key }) => key ?? '')),
  };
}

function replicaView(operation: Operation): View {
  const { output, revision, value } = operation;
  const shown = typeof output === 'object' && output !== null ? Object.entries(output) : [];
  const entries = shown.map(([key, entry]) => {
    const text = JSON.stringify(fieldOf(entry, 'value') ?? null);
    return [key, { value: text, revision: numberOf(entry, 'revision') ?? 0 }] as const;
  });
  const replica = nameOf(value, 'replica') ?? '';
  return { operation, replica, revision: revision ?? 0, entries: new Map(entries) };
}

/** Neither a view as a whole nor any of its keys is ever older than before. */
const neverBack: Rule<MapHistory> = ({ views }) => {
  const last = new Map<string, View>();
  for (const view of views) {
    const before = last.get(view.replica);
    last.set(view.replica, view);
    if (before === undefined) continue;
    const [a, b] = [describeOperation(before.operation), describeOperation(view.operation)];
    const operations = [before.operation, view.operation];
    if (view.revision < before.revision) {
      const message = `${b} is as of an older revision than ${a} before it`;
      return { message, operations };
    }
    for (const [key, entry] of view.entries) {
      const earlier = before.entries.get(key);
      if (earlier === undefined || entry.revision >= earlier.revision) continue;
      const message = `${b} shows an older ${key} than ${a} before it`;
      return { message, operations };
    }
  }
  return undefined;
};

/** A key as of a revision has one value, in whichever process. */
const oneValuePerRevision: Rule<MapHistory> = ({ views, log }) => {
  const seen = new Map<string, { readonly value: string; readonly source: Operation }>();
  for (const { key, revision, value, source } of log.changes) {
    if (value !== undefined) seen.set(`${revision} ${key}`, { value, source });
  }
  for (const { operation, entries } of views) {
    for (const [key, { value, revision }] of entries) {
      const other = seen.get(`${revision} ${key}`);
      if (other === undefined) seen.set(`${revision} ${key}`, { value, source: operation });
      if (other === undefined || other.value === value) continue;
      const [a, b] = [describeOperation(other.source), describeOperation(operation)];
      const message = `${b} shows ${key} at revision ${revision} as ${value}, other than ${a}`;
      return { message, operations: [other.source, operation] };
    }
  }
  return undefined;
};

/** What a process put through a map shows there at once, until somebody changes it. */
const ownWritesShow: Rule<MapHistory> = ({ views, wrote, removed }) => {
  for (const write of wrote) {
    const replica = nameOf(write.value, 'replica') ?? '';
    const view = views.find((one) => one.replica === replica && one.operation.call >= write.call);
    const key = write.key ?? '';
    const shown = view?.entries.get(key)?.revision ?? (removed.has(key) ? Infinity : 0);
    if (view === undefined || shown >= (write.revision ?? 0)) continue;
    const message =
      `${describeOperation(view.operation)} does not show ${key} as the same process ` +
      `had put it at revision ${write.revision}`;
    return { message, operations: [write, view.operation] };
  }
  return undefined;
};

/** A view lacks no change up to its revision, as far as those are known. */
const nothingMissing: Rule<MapHistory> = ({ views, log, keys, removed }) => {
  for (const { operation, revision, entries } of views) {
    for (const key of keys) {
      const change = log.before(key, revision + 1);
      if (change === undefined) continue;
      const shown = entries.get(key);
      const isMissing = shown === undefined ? !removed.has(key) : shown.revision < change.revision;
      if (!isMissing) continue;
      const message =
        `${describeOperation(operation)} is as of revision ${revision}, but misses ` +
        `${describeOperation(change.source)} at revision ${change.revision}`;
      return { message, operations: [change.source, operation] };
    }
  }
  return undefined;
};

export const map: Checker = ruleChecker({
  name: 'map',
  promise: 'every process holds a map without a gap, and never an older one than before',
  view: viewOf,
  takes: 'a view',
  couldFail: ({ views }) => views.length > 0,
  rules: [neverBack, oneValuePerRevision, ownWritesShow, nothingMissing],
  counts: ({ views, log }) => ({ views: views.length, changes: log.changes.length }),
});
