/** A named map that every client has open: put, fetched, removed, and looked at as it is held. */
import type { RegistryMap } from '../../src/client/index.ts';
import { map } from '../checkers/map.ts';
import { register } from '../checkers/register.ts';
import { revisions } from '../checkers/revisions.ts';
import { watch } from '../checkers/watch.ts';
import { inBackground } from './background.ts';
import { pick } from './chance.ts';
import type { CreateWorkload, WorkloadContext } from './workload.ts';

const MAP = 'flags';
const KEYS = ['a', 'b', 'c'];
const MAX_PAUSE_MS = 25;

export const mapsWorkload: CreateWorkload = () => {
  let written = 0;
  return {
    name: 'maps',
    promise: 'a map is one copy to those who fetch, and never goes back for those who hold it',
    checkers: [register, map, watch, revisions],
    async run(context, client) {
      while (!context.stopped()) {
        const opened = await context.invoke('open-map', {}, () => context.registry.map(MAP));
        if (opened !== undefined) await use(context, opened, client, () => `v${written++}`);
        await context.pause(MAX_PAUSE_MS);
      }
    },
    async finish(context) {
      const opened = await context.invoke('open-map', {}, () => context.registry.map(MAP));
      if (opened === undefined) return;
      for (const key of KEYS) {
        await put(context, opened, key, `v${written++}`, 'finish');
        await fetch(context, opened, key);
      }
    },
  };
};

type Opened = RegistryMap<unknown>;

async function use(
  context: WorkloadContext,
  opened: Opened,
  client: number,
  nextValue: () => string,
): Promise<void> {
  let subscribed = 0;
  const subscribing = inBackground(context, (signal) =>
    subscribe(context, opened, `${client}.${subscribed++}`, signal),
  );
  const replica = `client ${client}`;
  while (!context.stopped() && !opened.signal.aborted) {
    const key = pick(context, KEYS);
    const chance = context.random();
    if (chance < 0.4) await put(context, opened, key, nextValue(), replica);
    else if (chance < 0.5) await remove(context, opened, key);
    else if (chance < 0.7) await fetch(context, opened, key);
    else view(context, opened, replica);
    await context.pause(context.random() * MAX_PAUSE_MS);
  }
  await subscribing.stop();
}

/** The key as the history has it, apart from those of other workloads. */
function nameOf(key: string): string {
  return `map/${key}`;
}

async function put(
  context: WorkloadContext,
  opened: Opened,
  key: string,
  value: string,
  replica: string,
): Promise<void> {
  const entry = await context.invoke(
    'put',
    { key: nameOf(key), value },
    () => opened.put(key, value),
    ({ revision }) => ({ output: null, revision }),
  );
  if (entry === undefined) return;
  context.note('wrote', { key: nameOf(key), value: { replica }, revision: entry.revision });
  view(context, opened, replica);
}

async function remove(context: WorkloadContext, opened: Opened, key: string): Promise<void> {
  await context.invoke(
    'delete',
    { key: nameOf(key) },
    () => opened.remove(key),
    () => ({ output: null }),
  );
}

async function fetch(context: WorkloadContext, opened: Opened, key: string): Promise<void> {
  await context.invoke(
    'get',
    { key: nameOf(key) },
    async () => ({ value: await opened.fetch(key) }),
    ({ value }) => ({ output: value ?? null }),
  );
}

function view(context: WorkloadContext, opened: Opened, replica: string): void {
  if (opened.signal.aborted) return;
  const entries = opened.entries().map(({ key, value, revision }) => {
    return [nameOf(key), { value, revision }] as const;
  });
  const output = Object.fromEntries(entries);
  context.note('view', { value: { replica }, output, revision: opened.revision });
}

/** Events as of a watch; a subscription does not say which is the last of its revision. */
async function subscribe(
  context: WorkloadContext,
  opened: Opened,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const subscription = opened.subscribe({ signal });
  const value = { watch: `map ${name}` };
  context.note('watch', { value });
  const { revision: since } = await subscription.started;
  context.note('watch-started', { value, revision: since });
  for await (const event of subscription) {
    if (event.type === 'invalid') continue;
    const { type, key, revision } = event;
    const output = type === 'put' ? { type, value: event.value } : { type: 'delete' };
    context.note('event', { key: nameOf(key), value, output, revision });
  }
}
