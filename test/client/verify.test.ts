/** Comparing replicas while the lock of the trees is lost, or one of them lags: no false alarm. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../../src/base/index.ts';
import type { Told } from '../../src/client/hash-tree.ts';
import type { TreeLocked } from '../../src/client/hash-tree-types.ts';
import type { Session } from '../../src/client/registry.ts';
import type { Verification } from '../../src/client/verify-types.ts';
import { Verify, type VerifyHost } from '../../src/client/verify.ts';
import type { StatusReport } from '../../src/protocol/index.ts';
import type { Revision, TreeAnswer } from '../../src/registry/index.ts';
import { VirtualTime } from './support/virtual-time.ts';

/** What the trees' lock and three members say. */
interface Script {
  /** Answers to each attempt to lock, the last one again and again. */
  readonly locks: readonly TreeLocked[];
  /** What a member's tree says of index 7. */
  readonly tells: (id: string) => Told;
  readonly resets?: (id: string) => 'ok' | 'postponed';
}

const REVISION = 3 as Revision;
const SESSION: Session = {
  id: 1,
  ttlMs: 1_000,
  signal: new AbortController().signal,
  keepAlive: () => Promise.resolve(),
  close: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
const LOCKED: TreeLocked = { type: 'ok', index: 7, revision: 3 };

function root(hash: string, index = 7, locked = true): Told {
  const state = { type: 'ready', index, revision: REVISION, keys: 1, locked } as const;
  const answer: TreeAnswer = {
    type: 'tree',
    revision: REVISION,
    state,
    hashes: [{ name: '', hash }],
    more: false,
  };
  return { type: 'ok', state, answer };
}

function hostOf(time: VirtualTime, { locks, tells, resets }: Script): VerifyHost {
  let asked = 0;
  const status = { appliedIndex: 9 } as StatusReport;
  const members = ['a', 'b', 'c'].map((id) => ({ id, role: 'voter', address: `${id}:1` }) as const);
  return {
    members: {
      environment: time,
      members: () => Promise.resolve(members),
      call: () => Promise.resolve({ type: 'status', id: 1, status }),
    },
    openSession: () => Promise.resolve(SESSION),
    hashTree: {
      lock: () => Promise.resolve(locks[Math.min(asked++, locks.length - 1)]!),
      release: () => Promise.resolve({ type: 'ok' }),
      reset: ({ node }) => Promise.resolve({ type: resets?.(node) ?? 'ok' }),
      ask: (node) => Promise.resolve(tells(node)),
      compared: () => assert.fail('nothing differs, so nothing is compared'),
    },
  };
}

function run(script: Script): Promise<Verification> {
  const time = new VirtualTime();
  const verify = new Verify(hostOf(time, script), {
    quick: false,
    maxDifferences: 10,
    patience: { deadlineMs: time.now() + 60_000, signal: undefined },
    progress: () => undefined,
  });
  return time.until(verify.run());
}

function shown({ diverged, members }: Verification): string {
  return [diverged, ...members.map(({ id, state }) => `${id} ${state}`)].join(' ');
}

/** `c` does not know the lock, though it has applied it. */
const withoutC = (id: string): Told => (id === 'c' ? root('x', 7, false) : root('x'));

const cPostpones = (id: string): 'ok' | 'postponed' => (id === 'c' ? 'postponed' : 'ok');
const cIsLate = (id: string): Told => (id === 'c' ? { type: 'ongoing_update' } : root('x'));

test('[TREE-49] a lock lost on the way makes nobody diverged', async () => {
  const lost: TreeLocked[] = [
    { type: 'ok', index: 20, revision: 9 },
    { type: 'locked', holder: 5 },
  ];
  for (const now of lost) {
    const found = await run({ locks: [LOCKED, now], tells: withoutC });
    assert.equal(shown(found), 'false a equal b equal c behind');
    assert.match(found.members[2]?.note ?? '', /lock .* lost/);
  }
});

test('[TREE-49] who does not know a lock that is held all the time has diverged', async () => {
  const found = await run({ locks: [LOCKED], tells: withoutC });
  assert.equal(shown(found), 'true a equal b equal c diverged');
});

test("[TREE-49] a member that has yet to hear of an earlier lock's end stops nobody", async () => {
  const found = await run({ locks: [LOCKED], tells: cIsLate, resets: cPostpones });
  assert.equal(shown(found), 'false a equal b equal c behind');
});

test('[TREE-46] a lock that others keep is told as such, also at the last moment', async () => {
  const time = new VirtualTime();
  const host = hostOf(time, { locks: [{ type: 'locked', holder: 5 }], tells: () => root('x') });
  let attempts = 0;
  const late = new HoldfastError('timeout', 'no answer in time');
  const lock: VerifyHost['hashTree']['lock'] = (options) => {
    if (attempts++ < 3) return host.hashTree.lock(options);
    time.stall(60_000);
    return Promise.reject(late);
  };
  const verify = new Verify(
    { ...host, hashTree: { ...host.hashTree, lock } },
    {
      quick: true,
      maxDifferences: 10,
      patience: { deadlineMs: time.now() + 60_000, signal: undefined },
      progress: () => undefined,
    },
  );
  await assert.rejects(time.until(verify.run()), (error) => {
    return error instanceof HoldfastError && error.code === 'locked';
  });
});
