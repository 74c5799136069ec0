/** Read, then swap what was read for something new; and counters that are only incremented. */
import type { RegistryRecord } from '../../src/client/index.ts';
import { exactlyOnce } from '../checkers/exactly-once.ts';
import { register } from '../checkers/register.ts';
import { revisions } from '../checkers/revisions.ts';
import { pick } from './chance.ts';
import { readAnswer } from './records.ts';
import type { Answer, CreateWorkload, WorkloadContext } from './workload.ts';

const KEYS = ['cas/0', 'cas/1'];
const COUNTERS = ['counter/0', 'counter/1'];
const MAX_PAUSE_MS = 20;

export const compareAndSwapWorkload: CreateWorkload = () => {
  let written = 0;
  return {
    name: 'compare-and-swap',
    promise: 'who swaps what it read has missed nothing, and an increment happens once',
    checkers: [register, exactlyOnce, revisions],
    async run(context) {
      while (!context.stopped()) {
        const chance = context.random();
        if (chance < 0.5) await swap(context, pick(context, KEYS), `v${written++}`);
        else if (chance < 0.8) await increment(context, pick(context, COUNTERS));
        else await get(context, pick(context, [...KEYS, ...COUNTERS]));
        await context.pause(context.random() * MAX_PAUSE_MS);
      }
    },
    async finish(context) {
      for (const key of KEYS) await swap(context, key, `v${written++}`);
      for (const key of COUNTERS) await increment(context, key);
      for (const key of [...KEYS, ...COUNTERS]) await get(context, key);
    },
  };
};

async function swap(context: WorkloadContext, key: string, value: string): Promise<void> {
  const { registry } = context;
  const before = await context.invoke('get', { key }, () => found(registry.get(key)), readFound);
  if (before === undefined) return;
  const from = before.record?.text();
  await context.invoke(
    'cas',
    { key, value: [from ?? null, value] },
    () => registry.compareAndSwap(key, from, value),
    ({ swapped, revision }) => ({ output: swapped, ...(swapped && { revision }) }),
  );
}

/** So that no key can be told from no answer. */
interface Found {
  readonly record: RegistryRecord | undefined;
}

async function found(record: Promise<RegistryRecord | undefined>): Promise<Found> {
  return { record: await record };
}

function readFound({ record }: Found): Answer {
  return readAnswer(record);
}

async function increment(context: WorkloadContext, key: string): Promise<void> {
  await context.invoke(
    'increment',
    { key, value: 1 },
    () => context.registry.increment(key),
    (sum) => ({ output: sum }),
  );
}

/** A counter is text, and the sums in the history are numbers. */
async function get(context: WorkloadContext, key: string): Promise<void> {
  await context.invoke(
    'get',
    { key },
    () => context.registry.get(key),
    (record) => {
      const answer = readAnswer(record);
      const isCounter = COUNTERS.includes(key) && typeof answer.output === 'string';
      return isCounter ? { ...answer, output: Number(answer.output) } : answer;
    },
  );
}
