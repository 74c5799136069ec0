import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  defaultLimits,
  encodeCommand,
  TreeNotComparable,
  type RegistryCommand,
  type SessionId,
  type TreeAnswer,
  type TreeDifference,
  type TreeQuery,
} from '../../src/registry/index.ts';
import { applyCommand } from '../../src/registry/apply.ts';
import { RegistryState } from '../../src/registry/state.ts';
import { bucketOf } from '../../src/registry/tree-hash.ts';
import { answerTree } from '../../src/registry/tree-queries.ts';
import { answerOf, bytes } from './rig.ts';
import { compare } from './tree-rig.ts';

const ENDLESS = 2 ** 40;

/** A replica whose memory is within reach. */
class Replica {
  readonly state = new RegistryState(defaultLimits);
  /** Opened by the first command. */
  readonly session = 1 as SessionId;
  index = 0;

  constructor(keys: readonly string[]) {
    const metadata = bytes('');
    this.do({ type: 'openSession', ttlMs: 9000, label: 'l', metadata, trapExits: false });
    for (const key of keys) this.put(key, `value of ${key}`);
  }

  do(command: RegistryCommand, session = 0 as SessionId): void {
    const header = { session, sequence: 0, acknowledged: 0, node: 'a' };
    const result = applyCommand(this.state, encodeCommand(header, command), ++this.index, 1000);
    assert.notEqual(result.type, 'error', JSON.stringify(result));
  }

  put(key: string, text: string): void {
    const value = bytes(text);
    this.do({ type: 'put', key, value, ttlMs: 0, ephemeral: false, lock: false });
  }

  /** Changes what is in memory, as a fault would: no command, no new revision. */
  alter(key: string, fields: object): void {
    Object.assign(this.state.store.find(key)!.latest, fields);
  }

  /** Takes a key out of memory, as if it had never been. */
  lose(key: string): void {
    this.state.store.forget(this.state.store.find(key)!);
  }

  lock(): void {
    this.do({ type: 'lockTree' }, this.session);
    this.state.tree.step(ENDLESS);
  }

  readonly ask = (query: TreeQuery): TreeAnswer => answerOf(answerTree(this.state, query), 'tree');
}

const KEYS = Array.from({ length: 400 }, (_, i) => `app/${i % 5}/${i}`);
KEYS.push('plain', 'app/x', 'alone/1/2');

/** Two replicas of one log, of which one is changed by `plant` before both are locked. */
function differences(plant: (replica: Replica) => void): TreeDifference[] {
  const [local, remote] = [new Replica(KEYS), new Replica(KEYS)];
  plant(remote);
  for (const replica of [local, remote]) replica.lock();
  return compare(local.ask, remote.ask);
}

function prefixesIn(found: readonly TreeDifference[]): string[] {
  return found.flatMap((one) =>
    one.type === 'missingPrefix' ? [`${one.side} ${one.path.join(' ')}`] : [],
  );
}

function keysIn(found: readonly TreeDifference[]): string[] {
  return found
    .flatMap((one) => (one.type === 'keyDiffs' ? one.keys : []))
    .map(({ key, how }) => `${how} ${key}`);
}

test('[H7] [TREE-11] replicas of one log do not differ, and one question shows it', () => {
  const [local, remote] = [new Replica(KEYS), new Replica(KEYS)];
  for (const replica of [local, remote]) replica.lock();
  let questions = 0;
  const counted = (query: TreeQuery): TreeAnswer => {
    questions++;
    return local.ask(query);
  };
  assert.deepEqual(compare(counted, remote.ask), []);
  assert.equal(questions, 1);
});

test('[H7] [TREE-11] whatever one record differs in, exactly its key is named', () => {
  const key = 'app/3/13';
  const expected = [{ type: 'keyDiffs', path: ['app', '3'], keys: [{ key, how: 'different' }] }];
  for (const fields of [
    { stored: 'value of app/3/1\x32' },
    { expiresAt: 5000 },
    { time: 999 },
    { session: 1 },
    { version: 2 },
    { createRevision: 3 },
    { modRevision: 3 },
    { node: 'b' },
  ]) {
    const found = differences((replica) => replica.alter(key, fields));
    assert.deepEqual(found, expected, JSON.stringify(fields));
  }
});

test('[H7] [TREE-11] a lost key, a key too many and several faults at once are named', () => {
  const lost = differences((replica) => replica.lose('app/x'));
  const path = ['app', ''];
  assert.deepEqual(lost, [
    { type: 'missingPrefix', side: 'remote', path },
    { type: 'keyDiffs', path, keys: [{ key: 'app/x', how: 'remoteMissing' }] },
  ]);
  const added = differences((replica) => {
    const { createRevision, modRevision, session, time } =
      replica.state.store.find('app/3/13')!.latest;
    replica.state.store.load({
      key: 'app/3/+',
      value: bytes('?'),
      createRevision,
      modRevision,
      version: 1,
      session,
      expiresAt: undefined,
      node: 'a',
      time,
    });
  });
  assert.deepEqual(added, [
    { type: 'keyDiffs', path: ['app', '3'], keys: [{ key: 'app/3/+', how: 'missing' }] },
  ]);
  const several = differences((replica) => {
    for (const key of KEYS.slice(0, 50)) replica.alter(key, { stored: '?' });
    for (const key of KEYS.slice(50, 60)) replica.lose(key);
  });
  const named = several.flatMap((one) => (one.type === 'keyDiffs' ? one.keys : []));
  assert.deepEqual(
    named
      .filter(({ how }) => how === 'different')
      .map(({ key }) => key)
      .toSorted(),
    KEYS.slice(0, 50).toSorted(),
  );
  assert.deepEqual(
    named
      .filter(({ how }) => how === 'remoteMissing')
      .map(({ key }) => key)
      .toSorted(),
    KEYS.slice(50, 60).toSorted(),
  );
});

test('[H7] [TREE-11] what is missing as a whole is told once, with its keys', () => {
  const [local, remote] = [new Replica(['a/1/x', 'b/1/x', 'b/2/y']), new Replica(['a/1/x'])];
  remote.put('a/1/y', '');
  remote.put('c', '');
  for (const replica of [local, remote]) replica.lock();
  const found = compare(local.ask, remote.ask);
  assert.deepEqual(prefixesIn(found).toSorted(), ['local ', 'remote b']);
  assert.deepEqual(keysIn(found).toSorted(), [
    'missing a/1/y',
    'missing c',
    'remoteMissing b/1/x',
    'remoteMissing b/2/y',
  ]);
});

test('[H7] [TREE-11] sessions that differ are named too', () => {
  const found = differences((replica) => {
    Object.assign(replica.state.store.sessions.get(replica.session)!, { ttlMs: 1 });
  });
  const key = `\0s${'1'.padStart(16, '0')}`;
  assert.deepEqual(found, [
    { type: 'keyDiffs', path: ['\0s', ''], keys: [{ key, how: 'different' }] },
  ]);
});

test('[H7] [TREE-12] trees that cannot be compared are an error, never silence', () => {
  const [local, remote] = [new Replica(KEYS), new Replica(KEYS)];
  const reasonNow = (): unknown => {
    try {
      compare(local.ask, remote.ask);
    } catch (error) {
      assert.ok(error instanceof TreeNotComparable);
      return [error.reason, error.side];
    }
    return undefined;
  };
  assert.deepEqual(reasonNow(), ['not_built', 'local']);
  local.lock();
  assert.deepEqual(reasonNow(), ['not_built', 'remote']);
  remote.do({ type: 'lockTree' }, remote.session);
  assert.deepEqual(reasonNow(), ['ongoing_update', 'remote']);
  remote.state.tree.step(ENDLESS);
  assert.equal(reasonNow(), undefined);
  local.do({ type: 'updateTree' }, local.session);
  local.state.tree.step(ENDLESS);
  assert.deepEqual(reasonNow(), ['unequal_index', undefined]);
  remote.do({ type: 'updateTree' }, remote.session);
  remote.state.tree.step(ENDLESS);
  local.do({ type: 'releaseTree' }, local.session);
  assert.deepEqual(reasonNow(), ['not_locked', 'local']);
});

/** So many keys of one segment of sub-prefix `p/s`. */
function keysOfOneSegment(count: number): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    if (bucketOf(`p/s/${i}`) === 77) keys.push(`p/s/${i}`);
  }
  return keys.toSorted();
}

test('[H7] [TREE-11] answers that come in pages are compared page by page', () => {
  const keys = keysOfOneSegment(40);
  const [local, remote] = [new Replica(keys), new Replica(keys)];
  for (const key of keys.slice(0, 9)) local.alter(key, { stored: '?' });
  for (const key of keys.slice(20, 25)) local.lose(key);
  for (const key of keys.slice(35)) remote.lose(key);
  for (const replica of [local, remote]) replica.lock();
  let pages = 0;
  /** Cuts what fits into one answer into several, of another size on each side. */
  const paged =
    ({ ask }: Replica, size: number) =>
    (query: TreeQuery): TreeAnswer => {
      const answer = ask(query);
      if (query.type !== 'treeKeys' || answer.hashes.length <= size) return answer;
      pages++;
      return { ...answer, hashes: answer.hashes.slice(0, size), more: true };
    };
  const expected = compare(local.ask, remote.ask);
  const found = compare(paged(local, 3), paged(remote, 4));
  assert.ok(pages > 10);
  assert.equal(keysIn(expected).length, 9 + 5 + 5);
  assert.deepEqual(keysIn(found), keysIn(expected));
});
