/** A set of keys that only grows: each add puts one, a read lists them all. */
import { revisions } from '../checkers/revisions.ts';
import { set } from '../checkers/set.ts';
import { recordsOf } from './listing.ts';
import type { CreateWorkload, WorkloadContext } from './workload.ts';

const PREFIX = 'set/';
const MAX_PAUSE_MS = 20;

export const setWorkload: CreateWorkload = () => {
  let added = 0;
  return {
    name: 'set',
    promise: 'what was added with an acknowledgement is never lost',
    checkers: [set, revisions],
    async run(context) {
      while (!context.stopped()) {
        if (context.random() < 0.85) await add(context, added++);
        else await read(context);
        await context.pause(context.random() * MAX_PAUSE_MS);
      }
    },
    async finish(context) {
      await add(context, added++);
      await read(context);
    },
  };
};

async function add(context: WorkloadContext, element: number): Promise<void> {
  await context.invoke(
    'add',
    { value: element },
    () => context.registry.putIfAbsent(`${PREFIX}${element}`, String(element)),
    ({ swapped, revision }) => ({ output: swapped, ...(swapped && { revision }) }),
  );
}

async function read(context: WorkloadContext): Promise<void> {
  await context.invoke(
    'read',
    {},
    () => recordsOf(context.registry, PREFIX),
    ({ records, revision }) => ({ output: records.map((one) => Number(one.text())), revision }),
  );
}
