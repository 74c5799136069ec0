/** The work a child process does until it is killed, the same in the child and in its judge. */
import type { Model, Operation } from './model.ts';
import { applied, EMPTY_MODEL, lastIndexOf, randomOperation } from './model.ts';
import { Random } from './random.ts';
import { snapshotMeta } from './rig.ts';

const MAX_BYTES = 1500;
const LARGE_SNAPSHOT_BYTES = 300_000;

export interface Script {
  readonly operations: readonly Operation[];
  /** `states[n]` is what a store holds after the first `n` operations. */
  readonly states: readonly Model[];
}

/** `count` random operations, then a snapshot of several chunks. */
export function crashScript(seed: number, count: number): Script {
  const random = new Random(seed);
  const operations: Operation[] = [];
  const states: Model[] = [EMPTY_MODEL];
  const add = (operation: Operation): void => {
    operations.push(operation);
    states.push(applied(states.at(-1)!, operation));
  };
  for (let i = 0; i < count; i++) add(randomOperation(random, states.at(-1)!, MAX_BYTES));
  const last = states.at(-1)!;
  const termThere = last.entries.at(-1)?.term ?? last.snapshot?.meta.term ?? 0;
  add({
    type: 'snapshot',
    meta: snapshotMeta(lastIndexOf(last), termThere),
    data: random.bytes(LARGE_SNAPSHOT_BYTES),
  });
  return { operations, states };
}
