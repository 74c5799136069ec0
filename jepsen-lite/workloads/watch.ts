/** Writers under a prefix, and watches that begin, break off, go on elsewhere, and lag behind. */
import { HoldfastError, op } from '../../src/client/index.ts';
import { exactlyOnce } from '../checkers/exactly-once.ts';
import { revisions } from '../checkers/revisions.ts';
import { watch } from '../checkers/watch.ts';
import { inBackground } from './background.ts';
import { below, pick } from './chance.ts';
import { writtenAnswer } from './records.ts';
import { WatchFollower, type WatchSubject } from './watch-follower.ts';
import type { CreateWorkload, WorkloadContext } from './workload.ts';

const PREFIX = 'watch/';
const KEYS = ['watch/a/0', 'watch/a/1', 'watch/b/0', 'watch/b/1'];
const SUBJECTS: readonly WatchSubject[] = [
  { prefix: PREFIX },
  { prefix: 'watch/a/' },
  { prefix: PREFIX, events: 'put' },
  { prefix: PREFIX, events: 'delete', previous: false },
];
const MAX_PAUSE_MS = 25;
/** Of a key that expires by itself. */
const KEY_TTL_MS = 1_500;
/** So much history is left when a client compacts. */
const HISTORY_LEFT = 60;
const LAG_MS = 700;
const CATCH_UP_LOOK_MS = 100;
const LAST_LOOK_ATTEMPTS = 20;

export const watchWorkload: CreateWorkload = () => {
  let written = 0;
  return {
    name: 'watch',
    promise: 'a watch tells every change in order, once, across reconnects',
    checkers: [watch, revisions, exactlyOnce],
    async run(context, client) {
      let begun = 0;
      let follower: WatchFollower | undefined;
      const watching = inBackground(context, async (signal) => {
        // One in four begins anew, the others go on where they were.
        if (follower === undefined || context.random() < 0.25) {
          follower = begin(context, `${client}.${begun++}`);
        }
        let left = 1 + below(context, 80);
        await follower.follow(signal, async () => {
          if (context.random() < 0.02) await context.pause(LAG_MS);
          return --left <= 0;
        });
      });
      while (!context.stopped()) {
        await write(context, `v${written++}`);
        if (context.random() < 0.01) await compact(context);
        await context.pause(context.random() * MAX_PAUSE_MS);
      }
      await caughtUp(context, () => follower);
      await watching.stop();
    },
    finish: lastLook,
  };
};

/** Some want history, however much of it is left. */
function begin(context: WorkloadContext, name: string): WatchFollower {
  const subject = pick(context, SUBJECTS);
  return new WatchFollower(context, name, subject, context.random() < 0.2 ? 1 : undefined);
}

async function write(context: WorkloadContext, value: string): Promise<void> {
  const { registry } = context;
  const key = pick(context, KEYS);
  const chance = context.random();
  if (chance < 0.7) {
    const ttl = chance < 0.1 ? { ttl: KEY_TTL_MS } : {};
    if (chance < 0.1) context.note('expires', { key });
    await context.invoke('put', { key, value }, () => registry.put(key, value, ttl), writtenAnswer);
  } else if (chance < 0.85) {
    await context.invoke(
      'delete',
      { key },
      () => registry.delete(key),
      () => ({ output: null }),
    );
  } else {
    const keys = ['watch/a/both', 'watch/b/both'];
    await context.invoke(
      'txn',
      { value: { put: Object.fromEntries(keys.map((one) => [one, value])) } },
      () =>
        registry
          .txn()
          .then(...keys.map((one) => op.put(one, value)))
          .commit(),
      ({ revision }) => ({ output: null, revision }),
    );
  }
}

async function compact(context: WorkloadContext): Promise<void> {
  const { registry } = context;
  const latest = await context.invoke('revision', {}, () => registry.revision());
  const before = (latest ?? 0) - HISTORY_LEFT;
  if (before < 1) return;
  await context.invoke('compact', { value: before }, () => registry.compact(before));
}

/**
 * Waits until the watch has told what is written now. One that has gone silent never does, and
 * whoever runs the clients finds that this one does not come to its end.
 */
async function caughtUp(
  context: WorkloadContext,
  follower: () => WatchFollower | undefined,
): Promise<void> {
  const key = KEYS[0]!;
  // One of either kind, so that every watch is told something.
  const last = await context.invoke(
    'put',
    { key, value: 'stopping' },
    () => context.registry.put(key, 'stopping'),
    writtenAnswer,
  );
  if (last === undefined) return;
  const deleted = await context.invoke('delete', { key }, async () => {
    await context.registry.delete(key);
    return true;
  });
  if (deleted === undefined) return;
  while ((follower()?.from ?? 0) < last.modRevision) {
    await context.pause(CATCH_UP_LOOK_MS);
    if (await isClosed(context)) return;
  }
}

/** The run is over, and nobody waits for its clients. */
async function isClosed({ registry }: WorkloadContext): Promise<boolean> {
  try {
    await registry.revision();
    return false;
  } catch (error) {
    return error instanceof HoldfastError && error.code === 'closed';
  }
}

/** All history there is left, up to the end. */
async function lastLook(context: WorkloadContext): Promise<void> {
  const latest = await context.invoke('revision', {}, () => context.registry.revision());
  if (latest === undefined) return;
  // The last revision may be of another key: this one is told, and ends the watch.
  const key = KEYS[0]!;
  const last = await context.invoke(
    'put',
    { key, value: 'end' },
    () => context.registry.put(key, 'end'),
    writtenAnswer,
  );
  if (last === undefined) return;
  const follower = new WatchFollower(context, 'last look', { prefix: PREFIX }, 1);
  const { signal } = new AbortController();
  for (let attempt = 0; attempt < LAST_LOOK_ATTEMPTS; attempt++) {
    await follower.follow(signal, ({ revision }) => revision >= last.modRevision);
    if ((follower.from ?? 0) > last.modRevision) return;
  }
}
