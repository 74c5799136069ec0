import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  defaultLimits,
  type RegistryLimits,
  type Revision,
  type SessionId,
} from '../../src/registry/index.ts';
import { anyLog, type Step } from './generate.ts';
import { bytes, NONE, resultOf, Rig } from './rig.ts';
import {
  askTree,
  hashAt,
  keysIn,
  lockTree,
  releaseTree,
  stateOf,
  updateTree,
  wholeTree,
  work,
} from './tree-rig.ts';

/** History is short, so that what a tree still needs would be cleaned away. */
const LIMITS: RegistryLimits = {
  ...defaultLimits,
  maxWindow: 6,
  historyRevisions: 4,
  historyMs: 200,
};
const RUNS = Number(process.env['REGISTRY_RUNS'] ?? 40);
/** Sessions of generated logs have ids up to this. */
const LAST_GENERATED = 12;
const PART = 40;

function act(rig: Rig, { advanceMs, command, header }: Step): void {
  rig.time += advanceMs;
  rig.do(command, header);
  // As a node does after each batch: what is not taken is kept for watchers.
  rig.machine.takeEvents();
}

/** A session that no generated command ends. */
function opened(rig: Rig): SessionId {
  while (rig.index <= LAST_GENERATED) rig.tick();
  return rig.open(defaultLimits.maxSessionTtlMs);
}

test('[TREE-13] by increments or by scanning, on every replica: the same tree', () => {
  const parts = fc.tuple(anyLog(PART), anyLog(PART), anyLog(PART));
  fc.assert(
    fc.property(parts, fc.nat({ max: PART }), ([first, second, third], restoredAt) => {
      const [prompt, late, scanning] = [new Rig(LIMITS), new Rig(LIMITS), new Rig(LIMITS)];
      const rigs = [prompt, late, scanning];
      const onAll = (log: readonly Step[]): void => {
        for (const step of log) {
          for (const rig of rigs) act(rig, step);
          prompt.machine.treeWork();
        }
      };
      onAll(first);
      const holder = rigs.map(opened)[0]!;
      for (const rig of rigs) lockTree(rig, holder);
      work(prompt);
      onAll(second.slice(0, restoredAt));
      rigs.push(prompt.restored(prompt.snapshot()));
      onAll(second.slice(restoredAt));
      askTree(scanning, { type: 'resetTree' });
      for (const rig of rigs) updateTree(rig, holder);
      const keys = prompt.keys();
      onAll(third);
      const trees = rigs.map((rig) => {
        work(rig);
        assert.deepEqual(stateOf(rig), stateOf(prompt));
        return wholeTree(rig);
      });
      for (const tree of trees) assert.deepEqual(tree, trees[0]);
      const inTree = keysIn(trees[0]!).filter((key) => !key.startsWith('\0'));
      assert.deepEqual(
        inTree,
        keys.filter((key) => !key.startsWith('\0')).toSorted((a, b) => (a < b ? -1 : 1)),
      );
    }),
    { numRuns: RUNS },
  );
});

test('[TREE-13] tables, maps, their edges, notices and openers are in the tree by name', () => {
  const rig = new Rig();
  const session = rig.open();
  const as = { session };
  for (const table of ['jobs', 'more']) {
    rig.do({ type: 'openTable', table, linked: false }, as);
    const connect = { edge: 'link', peer: session } as const;
    const value = bytes('v');
    rig.do({ type: 'tableStore', table, key: 'k/1', value, connect }, as);
    rig.do(
      { type: 'openMap', map: table, created: 0 as Revision, persist: true, prune: false },
      as,
    );
  }
  lockTree(rig, session);
  work(rig);
  const tree = wholeTree(rig);
  for (const path of [
    ['\0T', ''],
    ['\0t', 'jobs'],
    ['\0t', 'more'],
    ['\0e', 'jobs'],
    ['\0M', ''],
    ['\0o', 'more'],
    ['\0h', ''],
    ['\0s', ''],
  ]) {
    assert.notEqual(hashAt(rig, path), undefined, JSON.stringify(path));
  }
  assert.ok(keysIn(tree).includes('\0tjobs\0k/1'));
  const copy = rig.restored(rig.snapshot());
  updateTree(rig, session);
  updateTree(copy, session);
  for (const one of [rig, copy]) work(one);
  assert.deepEqual(wholeTree(copy), wholeTree(rig));
});

test('[H8] [TREE-14] a reset destroys the tree and builds it anew by scanning', () => {
  const rig = new Rig();
  const session = rig.open();
  for (let i = 0; i < 5000; i++) rig.put(`a/${i % 3}/${i}`, 'v');
  lockTree(rig, session);
  work(rig);
  releaseTree(rig, session);
  const built = stateOf(rig);
  rig.put('a/1/1', 'w');
  const { state } = askTree(rig, { type: 'resetTree' });
  assert.deepEqual(state, { type: 'ongoing_update' });
  assert.equal(hashAt(rig, []), undefined, 'the old one is gone');
  assert.ok(work(rig) > 2, 'in slices');
  const now = stateOf(rig);
  assert.notDeepEqual(now, built);
  assert.deepEqual(now, {
    type: 'ready',
    index: rig.index,
    revision: rig.machine.revision,
    keys: 5001,
    locked: false,
  });
});

test('[H8] [TREE-14] while the tree is locked a reset waits', () => {
  const rig = new Rig();
  const session = rig.open();
  for (let i = 0; i < 5000; i++) rig.put(`a/${i % 3}/${i}`, 'v');
  lockTree(rig, session);
  work(rig);
  const before = [stateOf(rig), wholeTree(rig)];
  assert.equal(askTree(rig, { type: 'resetTree' }).state.type, 'ready');
  work(rig);
  assert.deepEqual([stateOf(rig), wholeTree(rig)], before);
  let woken = 0;
  rig.machine.onTreeWork(() => woken++);
  releaseTree(rig, session);
  assert.deepEqual(stateOf(rig), { type: 'ongoing_update' });
  assert.ok(woken > 0);
  assert.ok(work(rig) > 2);
  assert.equal(stateOf(rig).type, 'ready');
  // Also one that has no time in between: the next lock is of a tree that was scanned.
  lockTree(rig, session);
  work(rig);
  askTree(rig, { type: 'resetTree' });
  releaseTree(rig, session);
  lockTree(rig, session);
  assert.ok(work(rig) > 2);
});

test('[H9] [TREE-15] a restore leaves no tree: the next update builds it, locked or not', () => {
  const rig = new Rig();
  const session = rig.open();
  for (let i = 0; i < 100; i++) rig.put(`a/${i}`, 'v');
  const point = lockTree(rig, session);
  const copy = rig.restored(rig.snapshot());
  work(copy);
  assert.deepEqual(stateOf(copy), { type: 'not_built' });
  assert.deepEqual(lockTree(copy, session), point, 'the lock itself is known');
  lockTree(rig, session);
  const moved = [updateTree(copy, session), updateTree(rig, session)];
  assert.deepEqual(moved[0], moved[1]);
  for (const one of [rig, copy]) work(one);
  assert.deepEqual(wholeTree(copy), wholeTree(rig));
});

test('[TREE-16] the host is told when there is work, and each slice is bounded', () => {
  const rig = new Rig({ maxValueBytes: 1 << 20 });
  const session = rig.open();
  const value = new Uint8Array(64 * 1024);
  for (let i = 0; i < 64; i++) {
    rig.do({ type: 'put', key: `big/${i}`, value, ttlMs: 0, ephemeral: false, lock: false });
  }
  let woken = 0;
  rig.machine.onTreeWork(() => woken++);
  assert.equal(rig.machine.treeWork(), false);
  lockTree(rig, session);
  assert.equal(woken, 1);
  // 4 MiB of values at 128 KiB a slice, give or take one value each.
  const slices = work(rig);
  assert.ok(slices >= 21 && slices <= 33, String(slices));
  rig.put('small', 'v');
  assert.equal(woken, 1, 'nothing to do before the next update');
  const metadata = NONE;
  rig.do({ type: 'openSession', ttlMs: 5000, label: '', metadata, trapExits: false });
  assert.equal(
    resultOf(rig.do({ type: 'updateTree' }, { session }), 'treeLocked').index,
    rig.index,
  );
  assert.equal(woken, 2);
  const large = new Rig();
  const other = large.open();
  for (let i = 0; i < 20_000; i++) large.put(`s/s/${i}`, '');
  lockTree(large, other);
  work(large);
  const query = {
    type: 'treeBucket',
    path: ['s', 's'],
    level: 0,
    bucket: 0,
    after: undefined,
  } as const;
  assert.deepEqual(
    askTree(large, query).state,
    { type: 'ongoing_update' },
    'listing takes a while',
  );
  assert.ok(work(large) > 2);
  assert.equal(askTree(large, query).state.type, 'ready');
});
