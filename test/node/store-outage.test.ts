/** A store that is away for a while: whoever was reading from it goes on when it is back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../../src/base/index.ts';
import { MemoryLogStore } from '../../src/log-store/index.ts';
import { defaultSettings } from '../../src/node/index.ts';
import { EntryReader } from '../../src/node/entry-reader.ts';
import type { Runtime } from '../../src/node/runtime.ts';
import { makeEntry } from '../../src/raft/index.ts';
import type {
  Entry,
  FetchRequest,
  LogIndex,
  NodeId,
  RaftCore,
  Term,
} from '../../src/raft/index.ts';
import { Cluster } from './support/cluster.ts';
import type { Instance } from './support/cluster.ts';
import type { Disk } from './support/disk.ts';
import { Life } from '../../jepsen-lite/simulation/life.ts';
import { World } from '../../jepsen-lite/simulation/world.ts';

const ENTRY = makeEntry(1 as LogIndex, 1 as Term, 0, 'command', new Uint8Array(1));

function fetchOf(purpose: FetchRequest['purpose']): FetchRequest {
  return { purpose, from: 1 as LogIndex, through: 1 as LogIndex, maxBytes: 100 };
}

class ReadingRig {
  readonly store: MemoryLogStore = new MemoryLogStore();
  readonly world: World = new World();
  readonly fetched: (readonly Entry[] | undefined)[] = [];
  readonly lost: string[] = [];
  role: RaftCore['role'] = 'leader';
  reads = 0;
  damaged = false;
  readonly reader: EntryReader;

  constructor() {
    const slice = this.store.slice.bind(this.store);
    this.store.slice = (from, through, maxBytes) => {
      this.reads += 1;
      // One that asks without a pause would never let this test go on.
      if (this.reads > 100) return new Promise(() => {});
      if (this.damaged) return Promise.reject(new HoldfastError('corrupt-data', 'damaged'));
      return slice(from, through, maxBytes);
    };
    const runtime: Runtime = {
      id: 'a' as NodeId,
      settings: defaultSettings,
      environment: new Life(this.world, 'a'),
      // As a turn does.
      post: (completion) => {
        completion();
        this.reader.resume();
      },
      schedule: () => {},
    };
    const roleOf = (): RaftCore['role'] => this.role;
    const raft: Pick<RaftCore, 'role' | 'entriesFetched'> = {
      get role() {
        return roleOf();
      },
      entriesFetched: (_, entries) => void this.fetched.push(entries),
    };
    this.reader = new EntryReader(runtime, raft, this.store, {
      applierBusy: () => false,
      lost: (error) => void this.lost.push(error.code),
    });
  }
}

test('[NODE-41] unreadable entries are asked for once a tick, until they come', async () => {
  const rig = new ReadingRig();
  rig.reader.wanted(fetchOf({ type: 'apply' }));
  rig.reader.wanted(fetchOf({ type: 'follower', id: 'b' as NodeId }));
  await World.settled();
  assert.equal(rig.reads, 2);
  rig.reader.tick();
  await World.settled();
  assert.equal(rig.reads, 4);
  assert.equal(rig.world.lines.length, 2, 'told once each');
  await rig.store.open({ newStoreId: 's' });
  await rig.store.write({ entries: [ENTRY] });
  rig.role = 'follower';
  rig.reader.tick();
  await World.settled();
  assert.deepEqual(
    rig.fetched.map((entries) => entries?.length),
    [1],
    'a follower of a leader that leads no more needs nothing',
  );
  rig.reader.tick();
  await World.settled();
  assert.equal(rig.reads, 5);
});

test('[NODE-43] a damaged entry to apply stops the node; one for a follower does not', async () => {
  const rig = new ReadingRig();
  rig.damaged = true;
  rig.reader.wanted(fetchOf({ type: 'follower', id: 'b' as NodeId }));
  await World.settled();
  assert.deepEqual(rig.lost, []);
  rig.reader.wanted(fetchOf({ type: 'apply' }));
  await World.settled();
  assert.deepEqual(rig.lost, ['corrupt-data']);
});

const SETTINGS = {
  snapshotEveryEntries: 20,
  trailingEntries: 5,
  snapshotChunkBytes: 64,
} as const;

/** A reader of this disk's snapshot dies after so many reads, as when the store is opened anew. */
function breakReaders(disk: Disk, opened: (time: number) => number): void {
  const { inner } = disk;
  const open = inner.openSnapshot.bind(inner);
  let times = 0;
  inner.openSnapshot = async () => {
    const reader = await open();
    if (reader === undefined) return undefined;
    let left = opened(++times);
    return {
      ...reader,
      read: (offset, length) =>
        left-- > 0
          ? reader.read(offset, length)
          : Promise.reject(new HoldfastError('closed', 'the store was closed')),
    };
  };
}

/** Three nodes, one of them without what the others have made snapshots of. */
async function clusterWithLate(): Promise<{ cluster: Cluster; late: string; leader: Instance }> {
  const cluster = new Cluster(['a', 'b', 'c'], { settings: SETTINGS });
  await cluster.startAll();
  const late = cluster.follower().id;
  await cluster.crash(late);
  const leader = await cluster.leader();
  for (let i = 0; i < 45; i++) await cluster.write(leader, `w${i}`);
  return { cluster, late, leader };
}

test('[NODE-23] a transfer goes on when the store dropped its reader', async () => {
  const { cluster, late, leader } = await clusterWithLate();
  breakReaders(cluster.disk(leader.id), (time) => (time === 1 ? 3 : Infinity));
  const again = cluster.start(late);
  await cluster.world.until('it is restored', () => again.machine.restores > 0);
  await cluster.converged();
});

test('[NODE-42] a restore broken off by a store that is opened anew is begun again', async () => {
  const { cluster, late } = await clusterWithLate();
  breakReaders(cluster.disk(late), (time) => (time <= 2 ? 0 : Infinity));
  const again = cluster.start(late);
  await cluster.world.until('it is restored', () => again.machine.restores > 0);
  assert.equal(again.fatal, undefined);
  await cluster.converged();
});

test('[NODE-51] a store that is being opened anew when the node stops stays closed', async () => {
  const cluster = new Cluster(['a'], { settings: { requestTimeoutMs: 200 } });
  const node = await cluster.startAll();
  const { inner } = cluster.disk('a');
  cluster.disk('a').failing = new HoldfastError('disk-full', 'no space is left');
  const close = inner.close.bind(inner);
  let goOn: (() => void) | undefined;
  inner.close = async () => {
    if (goOn === undefined) await new Promise<void>((resolve) => (goOn = resolve));
    await close();
  };
  cluster.propose(node, 'x');
  await cluster.world.until('it is being reopened', () => goOn !== undefined);
  let stopped = false;
  void node.node.stop().then(() => (stopped = true));
  await cluster.world.until('it has stopped', () => node.node.status().role === 'stopped');
  goOn!();
  await cluster.world.until('everything is closed', () => stopped);
  await cluster.world.run(100);
  await inner.open({ newStoreId: 'never' });
});

test('[NODE-51] whoever stops a starting node may use its store at once', async () => {
  const cluster = new Cluster(['a', 'b']);
  const { node, started } = cluster.start('a');
  const refused = assert.rejects(started, { code: 'stopped' });
  await cluster.world.run(100);
  await node.stop();
  await cluster.disk('a').inner.open({ newStoreId: 'never' });
  await refused;
});

test('[NODE-24] a snapshot shows the state at its index, however late it is read', async () => {
  const cluster = new Cluster(['a'], { settings: SETTINGS });
  const leader = await cluster.startAll();
  const { inner } = cluster.disk('a');
  const save = inner.saveSnapshot.bind(inner);
  let goOn: (() => void) | undefined;
  inner.saveSnapshot = async (meta, chunks) => {
    await new Promise<void>((resolve) => (goOn = resolve));
    await save(meta, chunks);
  };
  for (let i = 0; i < 25; i++) await cluster.write(leader, `w${i}`);
  goOn!();
  await cluster.world.until('it is saved', () => cluster.status('a').snapshotIndex === 20);
  await cluster.crash('a');
  const again = cluster.start('a');
  await cluster.leader();
  await cluster.write(again, 'after');
  assert.equal(again.machine.restores, 1);
  for (let i = 0; i < 25; i++) assert.equal(again.machine.counts.get(`w${i}`), 1);
});
