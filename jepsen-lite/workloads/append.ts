/** Lists in values: to append is to read, and to swap what was read for a longer one. */
import { append } from '../checkers/append.ts';
import { revisions } from '../checkers/revisions.ts';
import type { Registry } from '../../src/client/index.ts';
import { pick } from './chance.ts';
import type { CreateWorkload, WorkloadContext } from './workload.ts';

const KEYS = ['list/0', 'list/1'];
const MAX_PAUSE_MS = 30;

export const appendWorkload: CreateWorkload = () => {
  let appended = 0;
  return {
    name: 'append',
    promise: 'lists only grow, in one order, each element once',
    checkers: [append, revisions],
    async run(context) {
      while (!context.stopped()) {
        const key = pick(context, KEYS);
        if (context.random() < 0.6) await appendTo(context, key, appended++);
        else await read(context, key);
        await context.pause(context.random() * MAX_PAUSE_MS);
      }
    },
    async finish(context) {
      for (const key of KEYS) {
        await appendTo(context, key, appended++);
        await read(context, key);
      }
    },
  };
};

async function appendTo(context: WorkloadContext, key: string, value: number): Promise<void> {
  await context.invoke(
    'append',
    { key, value },
    () => swapIn(context.registry, key, value),
    (revision) => ({ output: null, revision }),
  );
}

/** A swap that was refused has changed nothing, so whatever fails here tells of the last one. */
async function swapIn(registry: Registry, key: string, value: number): Promise<number> {
  for (;;) {
    const before = await registry.get(key);
    const list = [...(before === undefined ? [] : (before.json() as number[])), value];
    const { swapped, revision } = await registry.compareAndSwap(key, before, JSON.stringify(list));
    if (swapped) return revision;
  }
}

/** The revision of a list is its key's, not that of everything: it is left out. */
async function read(context: WorkloadContext, key: string): Promise<void> {
  await context.invoke(
    'read',
    { key },
    () => context.registry.get(key),
    (record) => ({ output: record === undefined ? [] : record.json() }),
  );
}
