import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '../../src/registry/index.ts';
import { refused, resultOf, Rig } from './rig.ts';
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

const KEYS = ['a', 'a/b', 'a/b/c', 'a/b/c/d', 'a//x', '/r', '/r/s', 'b/c/1', 'b/c/2', '\xff'];

/** A rig with some keys and a session to lock for. */
function stocked(): { rig: Rig; session: SessionId } {
  const rig = new Rig();
  const session = rig.open();
  for (const key of KEYS) rig.put(key, `value of ${key}`);
  return { rig, session };
}

test('[H9] [TREE-2] nobody asked, nothing built: the first lock builds by scanning', () => {
  const { rig, session } = stocked();
  assert.deepEqual(stateOf(rig), { type: 'not_built' });
  assert.equal(hashAt(rig, []), undefined);
  assert.equal(work(rig), 1);
  const point = lockTree(rig, session);
  assert.deepEqual(stateOf(rig), { type: 'ongoing_update' });
  work(rig);
  // The keys, the session and the record of the lock.
  const keys = KEYS.length + 2;
  assert.deepEqual(stateOf(rig), { type: 'ready', ...point, keys, locked: true });
  assert.deepEqual(
    keysIn(wholeTree(rig)),
    [...KEYS, '\0h', `\0s${'1'.padStart(16, '0')}`].toSorted((a, b) => (a < b ? -1 : 1)),
  );
});

test('[H2] [TREE-3] the hash of a prefix stands for the last update, with its index', () => {
  const { rig, session } = stocked();
  const first = lockTree(rig, session);
  work(rig);
  const before = [[], ['a'], ['a', 'b'], ['b'], ['']].map((path) => hashAt(rig, path));
  for (const hash of before) assert.match(hash ?? '', /^[0-9a-f]{16}$/);
  assert.equal(new Set(before).size, before.length);
  rig.put('a/b/c', 'changed');
  assert.deepEqual(hashAt(rig, ['a', 'b']), before[2], 'not before the update');
  assert.equal(askTree(rig, { type: 'treeHash', path: ['a'] }).hashes[0]?.name, 'a');
  const second = updateTree(rig, session);
  assert.equal(second.index, first.index + 2);
  work(rig);
  const after = [[], ['a'], ['a', 'b'], ['b'], ['']].map((path) => hashAt(rig, path));
  assert.deepEqual(
    after.map((hash, i) => hash === before[i]),
    [false, false, false, true, true],
  );
  assert.equal(hashAt(rig, ['nobody']), undefined);
  assert.equal(hashAt(rig, ['a', 'nobody']), undefined);
});

test('[H2] [TREE-3] what the tree stands for stays known after the release', () => {
  const { rig, session } = stocked();
  const point = lockTree(rig, session);
  work(rig);
  const hash = hashAt(rig, ['a']);
  releaseTree(rig, session);
  rig.put('a/b', 'later');
  assert.equal(hashAt(rig, ['a']), hash);
  const state = stateOf(rig);
  assert.deepEqual(state, { type: 'ready', ...point, keys: KEYS.length + 2, locked: false });
});

test('[H3] [TREE-4] a bucket tells its children and their hashes, none when unknown', () => {
  const { rig, session } = stocked();
  lockTree(rig, session);
  work(rig);
  const level0 = { type: 'treeBucket', level: 0, bucket: 0, after: undefined } as const;
  const buckets = askTree(rig, { ...level0, path: ['a'] }).hashes;
  const children = buckets.flatMap(({ name }) => {
    const found = askTree(rig, { ...level0, path: ['a'], level: 1, bucket: Number(name) }).hashes;
    assert.equal(
      sum(found.map(({ hash }) => hash)),
      buckets.find((one) => one.name === name)?.hash,
    );
    return found;
  });
  assert.deepEqual(children.map(({ name }) => name).toSorted(), ['', 'b']);
  assert.equal(sum(children.map(({ hash }) => hash)), hashAt(rig, ['a']));
  for (const path of [['nobody'], ['a', 'nobody'], ['nobody', '']]) {
    const answer = askTree(rig, { ...level0, path });
    assert.deepEqual([answer.state.type, answer.hashes], ['ready', []]);
  }
  refused(rig.ask({ ...level0, path: [], level: 2 }), 'invalid-argument');
  refused(rig.ask({ ...level0, path: [], bucket: 1 }), 'invalid-argument');
  refused(rig.ask({ ...level0, path: [], level: 1, bucket: 1024 }), 'invalid-argument');
  refused(rig.ask({ ...level0, path: ['a', 'b'], level: 1 }), 'invalid-argument');
});

test('[H4] [TREE-5] the keys of a segment and their hashes add up to the sub-prefix', () => {
  const { rig, session } = stocked();
  lockTree(rig, session);
  work(rig);
  const path = ['b', 'c'];
  const segments = askTree(rig, { type: 'treeBucket', path, level: 0, bucket: 0, after: '' });
  const keys = segments.hashes.flatMap(
    ({ name }) =>
      askTree(rig, { type: 'treeKeys', path, segment: Number(name), after: undefined }).hashes,
  );
  assert.deepEqual(keys.map(({ name }) => name).toSorted(), ['b/c/1', 'b/c/2']);
  assert.equal(sum(keys.map(({ hash }) => hash)), hashAt(rig, path));
  const none = { type: 'treeKeys', path: ['b', 'x'], segment: 0, after: undefined } as const;
  assert.deepEqual(askTree(rig, none).hashes, []);
  const message = refused(rig.ask({ ...none, path: ['b'] }), 'invalid-argument');
  assert.match(message, /prefix and a sub-prefix/);
  refused(rig.ask({ ...none, segment: 1024 }), 'invalid-argument');
});

/** Adds hashes up as trees do: each half by itself. */
function sum(hashes: readonly string[]): string {
  const halves = [0, 0];
  for (const hash of hashes) {
    halves[0] = (halves[0]! + Number.parseInt(hash.slice(0, 8), 16)) >>> 0;
    halves[1] = (halves[1]! + Number.parseInt(hash.slice(8), 16)) >>> 0;
  }
  return halves.map((half) => half.toString(16).padStart(8, '0')).join('');
}

test('[H5] [TREE-6] one session has the lock: others learn who, and may not release it', () => {
  const { rig, session } = stocked();
  const other = rig.open();
  const point = lockTree(rig, session);
  assert.deepEqual(lockTree(rig, session), point, 'again by the same session: as before');
  const asOther = { session: other };
  for (const [type, why] of [
    ['lockTree', 'locked'],
    ['updateTree', 'not_allowed'],
    ['releaseTree', 'not_allowed'],
  ] as const) {
    const result = resultOf(rig.do({ type }, asOther), 'treeRefused');
    assert.deepEqual([result.why, result.holder], [why, session]);
  }
  releaseTree(rig, session);
  for (const type of ['updateTree', 'releaseTree'] as const) {
    const result = resultOf(rig.do({ type }, { session }), 'treeRefused');
    assert.deepEqual([result.why, result.holder], ['not_locked', 0]);
  }
  lockTree(rig, other);
  refused(rig.do({ type: 'lockTree' }), 'invalid-argument');
  refused(rig.do({ type: 'lockTree' }, { session: 999 as SessionId }), 'session-expired');
});

test('[H5] [TREE-6] the lock goes with its session, and by itself when its time is over', () => {
  const rig = new Rig({ maxTreeLockMs: 500 });
  const first = rig.open();
  lockTree(rig, first);
  rig.close(first);
  const second = rig.open();
  lockTree(rig, second);
  rig.time += 499;
  updateTree(rig, second);
  rig.time += 499;
  rig.tick();
  assert.equal(rig.do({ type: 'lockTree' }, { session: rig.open() }).type, 'treeRefused');
  rig.time += 1;
  const lost = resultOf(rig.do({ type: 'updateTree' }, { session: second }), 'treeRefused');
  assert.equal(lost.why, 'not_locked');
});

test('[H5] [TREE-7] only a locked tree lists children and keys', () => {
  const { rig, session } = stocked();
  lockTree(rig, session);
  work(rig);
  releaseTree(rig, session);
  const path = ['a', 'b'];
  for (const query of [
    { type: 'treeBucket', path: [], level: 0, bucket: 0, after: undefined },
    { type: 'treeKeys', path, segment: 0, after: undefined },
  ] as const) {
    assert.deepEqual(askTree(rig, query).state, { type: 'not_locked' });
  }
});

/** The same command on all; what the last of them answers. */
function onAll(rigs: readonly Rig[], act: (rig: Rig) => unknown): void {
  for (const rig of rigs) act(rig);
}

test('[H6] [TREE-8] an update moves on to its own index, while writes go on', () => {
  const { rig, session } = stocked();
  const { rig: prompt } = stocked();
  const rigs = [rig, prompt];
  onAll(rigs, (one) => lockTree(one, session));
  onAll(rigs, (one) => one.put('a/b/c', 'after the lock'));
  // One replica has built its tree by now, the other has yet to begin.
  work(prompt);
  onAll(rigs, (one) => updateTree(one, session));
  work(prompt);
  const expected = wholeTree(prompt);
  for (let round = 0; round < 50; round++) {
    rig.put(`new/${round}/x`, 'v');
    rig.delete(KEYS[round % KEYS.length]!);
    if (round > 10) rig.machine.treeWork();
  }
  rig.close(rig.open());
  const state = stateOf(rig);
  assert.deepEqual(state, stateOf(prompt));
  assert.equal(state.type, 'ready');
  assert.deepEqual(wholeTree(rig), expected);
});

test('[H6] [TREE-8] an update in the middle of one goes on from both', () => {
  const { rig, session } = stocked();
  const { rig: prompt } = stocked();
  const rigs = [rig, prompt];
  onAll(rigs, (one) => lockTree(one, session));
  onAll(rigs, work);
  for (const key of ['a/b/c', 'b/c/1', 'new/1']) {
    onAll(rigs, (one) => one.put(key, 'changed'));
    onAll(rigs, (one) => updateTree(one, session));
    work(prompt);
  }
  work(rig);
  assert.deepEqual(wholeTree(rig), wholeTree(prompt));
});

test('[H6] [TREE-8] an update rehashes what changed, and nothing else', () => {
  const { rig, session } = stocked();
  for (let i = 0; i < 20_000; i++) rig.put(`bulk/${i % 7}/${i}`, 'v');
  lockTree(rig, session);
  assert.ok(work(rig) > 10, 'a scan takes many slices');
  for (let i = 0; i < 100; i++) rig.put('bulk/1/1', `v${i}`);
  updateTree(rig, session);
  assert.equal(work(rig), 1, 'one key and the lock take one');
});
