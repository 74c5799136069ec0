/** Puts, gets, deletes and compare-and-swaps of a few keys. */
import { register } from '../checkers/register.ts';
import { below, pick } from './chance.ts';
import type { Answer, CreateWorkload, WorkloadContext } from './workload.ts';
import type { RegistryRecord } from '../../src/client/index.ts';

const KEYS = ['register/0', 'register/1', 'register/2'];
const VALUES = 5;
/** Longest time between two operations of a client. */
const MAX_PAUSE_MS = 20;

export const registerWorkload: CreateWorkload = () => ({
  name: 'register',
  promise: 'each key is read and written as if there were one copy of it',
  checkers: [register],
  async run(context) {
    while (!context.stopped()) {
      await step(context);
      await context.pause(context.random() * MAX_PAUSE_MS);
    }
  },
  async finish(context) {
    for (const key of KEYS) await get(context, key);
  },
});

async function step(context: WorkloadContext): Promise<void> {
  const { registry } = context;
  const key = pick(context, KEYS);
  const value = valueOf(context);
  const chance = context.random();
  if (chance < 0.4) {
    await get(context, key);
  } else if (chance < 0.7) {
    await context.invoke(
      'put',
      { key, value },
      () => registry.put(key, value),
      ({ modRevision }) => ({ output: null, revision: modRevision }),
    );
  } else if (chance < 0.95) {
    const from = valueOf(context);
    await context.invoke(
      'cas',
      { key, value: [from, value] },
      () => registry.compareAndSwap(key, from, value),
      ({ swapped, record }) => ({
        output: swapped,
        ...(swapped && record !== undefined && { revision: record.modRevision }),
      }),
    );
  } else {
    await context.invoke(
      'delete',
      { key },
      () => registry.delete(key),
      (removed) => ({ output: removed?.text() ?? null }),
    );
  }
}

async function get(context: WorkloadContext, key: string): Promise<void> {
  await context.invoke('get', { key }, () => context.registry.get(key), read);
}

function valueOf(context: WorkloadContext): string {
  return String(below(context, VALUES));
}

function read(record: RegistryRecord | undefined): Answer {
  if (record === undefined) return { output: null };
  return { output: record.text(), revision: record.modRevision };
}
