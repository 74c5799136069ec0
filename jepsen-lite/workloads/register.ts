/** Puts, gets, deletes and compare-and-swaps of a few keys. */
import type { RegistryRecord } from '../../src/client/index.ts';
import { register } from '../checkers/register.ts';
import { revisions } from '../checkers/revisions.ts';
import { below, pick } from './chance.ts';
import { readAnswer, writtenAnswer } from './records.ts';
import type { CreateWorkload, Workload, WorkloadContext } from './workload.ts';

type Consistency = 'linearizable' | 'lease';

const KEYS = ['register/0', 'register/1', 'register/2'];
const VALUES = 5;
/** Longest time between two operations of a client. */
const MAX_PAUSE_MS = 20;

export const registerWorkload: CreateWorkload = () => ({
  name: 'register',
  promise: 'each key is read and written as if there were one copy of it',
  ...registers('linearizable'),
});

/** The same with reads under leases, which hold while clocks keep to what leases suppose. */
export const leaseWorkload: CreateWorkload = () => ({
  name: 'lease',
  promise: 'reads under leases are as fresh as others while clocks run at about one pace',
  trustsClocks: true,
  ...registers('lease'),
});

function registers(reads: Consistency): Pick<Workload, 'checkers' | 'run' | 'finish'> {
  return {
    checkers: [register, revisions],
    async run(context) {
      while (!context.stopped()) {
        await step(context, reads);
        await context.pause(context.random() * MAX_PAUSE_MS);
      }
    },
    async finish(context) {
      for (const key of KEYS) {
        await put(context, key);
        await get(context, key, 'linearizable');
      }
    },
  };
}

async function step(context: WorkloadContext, reads: Consistency): Promise<void> {
  const { registry } = context;
  const key = pick(context, KEYS);
  const chance = context.random();
  if (chance < 0.4) {
    await get(context, key, reads);
  } else if (chance < 0.7) {
    await put(context, key);
  } else if (chance < 0.95) {
    const [from, value] = [valueOf(context), valueOf(context)];
    await context.invoke(
      'cas',
      { key, value: [from, value] },
      () => registry.compareAndSwap(key, from, value),
      ({ swapped, revision }) => ({ output: swapped, ...(swapped && { revision }) }),
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

async function put(context: WorkloadContext, key: string): Promise<void> {
  const value = valueOf(context);
  const call = (): Promise<RegistryRecord> => context.registry.put(key, value);
  await context.invoke('put', { key, value }, call, writtenAnswer);
}

async function get(context: WorkloadContext, key: string, consistency: Consistency): Promise<void> {
  const { registry } = context;
  await context.invoke('get', { key }, () => registry.get(key, { consistency }), readAnswer);
}

function valueOf(context: WorkloadContext): string {
  return String(below(context, VALUES));
}
