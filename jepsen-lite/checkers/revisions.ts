/**
 * The registry's one revision, over all keys: each change has its own, and who comes later in time
 * has the greater one. What is checked per key elsewhere cannot show this.
 */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import { ruleChecker, type Rule } from './rules.ts';
import { endOf } from './values.ts';
import type { Checker } from './verdict.ts';

/** Calls that make the revision they return, unless their output is false. */
const WRITES: ReadonlySet<string> = new Set([
  'put',
  'write',
  'cas',
  'delete',
  'increment',
  'txn',
  'add',
  'append',
  'transfer',
  'store',
  'remove',
]);
/** Reads that tell the revision of all they saw; a `get` tells that of its key's last change. */
const WHOLE_READS: ReadonlySet<string> = new Set(['read', 'list']);

/** What is ok and tells of a revision, in order of calls. */
type Dated = Operation & { readonly revision: number };
interface RevisionHistory {
  readonly dated: readonly Dated[];
  readonly writes: readonly Dated[];
  readonly reads: readonly Dated[];
}

function viewOf(history: readonly Operation[]): RevisionHistory {
  const dated = history.filter(
    (one): one is Dated => one.type === 'ok' && one.revision !== undefined,
  );
  dated.sort((a, b) => a.call - b.call);
  const writes = dated.filter(({ f, output }) => WRITES.has(f) && output !== false);
  return { dated, writes, reads: dated.filter(({ f }) => WHOLE_READS.has(f)) };
}

const noneTwice: Rule<RevisionHistory> = ({ writes }) => {
  const made = new Map<number, Operation>();
  for (const write of writes) {
    const other = made.get(write.revision);
    if (other !== undefined) {
      const [a, b] = [describeOperation(other), describeOperation(write)];
      const message = `${a} and ${b} both made revision ${write.revision}`;
      return { message, operations: [other, write] };
    }
    made.set(write.revision, write);
  }
  return undefined;
};

/** A write is later than all that anybody knew of when it was called. */
const writesGoUp: Rule<RevisionHistory> = ({ dated, writes }) => {
  for (const [write, known] of withKnown(writes, dated)) {
    if (known === undefined || write.revision > known.revision) continue;
    const message =
      `${describeOperation(write)} made revision ${write.revision}, though revision ` +
      `${known.revision} was known before its call from ${describeOperation(known)}`;
    return { message, operations: [known, write] };
  }
  return undefined;
};

/** A read of everything is not older than what anybody knew of when it was called. */
const readsGoUp: Rule<RevisionHistory> = ({ dated, reads }) => {
  for (const [read, known] of withKnown(reads, dated)) {
    if (known === undefined || read.revision >= known.revision) continue;
    const message =
      `${describeOperation(read)} is as of revision ${read.revision}, though revision ` +
      `${known.revision} was known before its call from ${describeOperation(known)}`;
    return { message, operations: [known, read] };
  }
  return undefined;
};

/** Each of `operations`, with the highest revision that had been told before its call. */
function* withKnown(
  operations: readonly Dated[],
  dated: readonly Dated[],
): Generator<readonly [Dated, Dated | undefined]> {
  const ended = dated.toSorted((a, b) => endOf(a) - endOf(b));
  let next = 0;
  let known: Dated | undefined;
  for (const operation of operations) {
    while (next < ended.length && endOf(ended[next]!) < operation.call) {
      const one = ended[next++]!;
      if (known === undefined || one.revision > known.revision) known = one;
    }
    yield [operation, known];
  }
}

export const revisions: Checker = ruleChecker({
  name: 'revisions',
  promise: 'every change has a revision of its own, and they grow with time over all keys',
  view: viewOf,
  takes: 'two answers with a revision, one of them to a write or to a read of everything',
  couldFail: ({ dated, writes, reads }) => dated.length > 1 && writes.length + reads.length > 0,
  rules: [noneTwice, writesGoUp, readsGoUp],
  counts: ({ writes, reads }) => ({ 'writes with a revision': writes.length, reads: reads.length }),
});
