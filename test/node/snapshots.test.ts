/** Snapshots, compaction, and followers that need them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, resultOf } from './support/cluster.ts';
import type { Instance } from './support/cluster.ts';

const SETTINGS = { snapshotEveryEntries: 20, trailingEntries: 5, snapshotChunkBytes: 256 };

async function writeMany(cluster: Cluster, to: Instance, count: number, name = 'w'): Promise<void> {
  for (let i = 0; i < count; i++) await cluster.write(to, `${name}${i}`);
}

function offsets(one: Instance): number[] {
  return one.transport.sent.flatMap((message) =>
    message.type === 'snapshotChunkRequest' ? [message.offset] : [],
  );
}

test('[NODE-21] replicas take snapshots at the same indexes, with the same bytes', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], { settings: SETTINGS });
  const leader = await cluster.startAll();
  await writeMany(cluster, leader, 50);
  await cluster.converged();
  await cluster.world.run(500);
  const found = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const reader = (await cluster.disk(name).inner.openSnapshot())!;
      const data = await reader.read(0, reader.size);
      await reader.close();
      return { index: reader.meta.index, data: new TextDecoder().decode(data) };
    }),
  );
  assert.equal(found[0]!.index, 40);
  assert.deepEqual(found[1], found[0]);
  assert.deepEqual(found[2], found[0]);
});

test('[NODE-21] a point is also reached by bytes, and counted on after a restart', async () => {
  const cluster = new Cluster(['a'], {
    settings: { snapshotEveryEntries: 1_000, snapshotEveryBytes: 1_000, trailingEntries: 0 },
  });
  let node = await cluster.startAll();
  for (let i = 0; i < 6; i++) await cluster.write(node, `${i}`.repeat(100));
  await cluster.crash('a');
  node = cluster.start('a');
  await cluster.leader();
  for (let i = 6; i < 9; i++) await cluster.write(node, `${i}`.repeat(100));
  await cluster.world.until('the point is passed', () => cluster.status('a').snapshotIndex > 0);
  const expected = cluster.status('a').snapshotIndex;

  const uninterrupted = new Cluster(['a'], {
    settings: { snapshotEveryEntries: 1_000, snapshotEveryBytes: 1_000, trailingEntries: 0 },
  });
  const other = await uninterrupted.startAll();
  for (let i = 0; i < 6; i++) await uninterrupted.write(other, `${i}`.repeat(100));
  // The restart above cost one no-op entry.
  await uninterrupted.write(other, '');
  for (let i = 6; i < 9; i++) await uninterrupted.write(other, `${i}`.repeat(100));
  await uninterrupted.world.until('the point is passed', () => {
    return uninterrupted.status('a').snapshotIndex > 0;
  });
  assert.equal(uninterrupted.status('a').snapshotIndex, expected);
});

test('[NODE-76] a large state is saved only after much log, everywhere alike', async () => {
  const settings = { ...SETTINGS, snapshotEveryEntries: 5, trailingEntries: 0 };
  const cluster = new Cluster(['a', 'b', 'c'], { settings });
  const leader = await cluster.startAll();
  await cluster.write(leader, 'fill:1100000');
  const pointOf = (name: string): number => cluster.status(name).snapshotIndex;
  const before = pointOf(leader.id);
  let logBytes = 0;
  while (pointOf(leader.id) === before) {
    const index = cluster.status(leader.id).lastIndex;
    await cluster.write(leader, 'z'.repeat(200_000));
    logBytes += 200_032;
    assert.ok(logBytes < 6_000_000, `no snapshot at ${index} after ${logBytes} bytes of log`);
    await cluster.world.run(50);
    // A crash in the middle, as the next life counts on where this one was.
    if (logBytes === 5 * 200_032) {
      const other = ['a', 'b', 'c'].find((name) => name !== leader.id) ?? '';
      await cluster.crash(other);
      cluster.start(other);
    }
  }
  assert.ok(logBytes > 3_500_000, `${logBytes} bytes of log and a snapshot`);
  await cluster.converged();
  await cluster.world.run(500);
  const points = ['a', 'b', 'c'].map(pointOf);
  assert.deepEqual(points, [points[0], points[0], points[0]]);
});

test('[NODE-22] writes go on while a snapshot is saved; then the log is cut', async () => {
  const cluster = new Cluster(['a'], { settings: SETTINGS });
  const leader = await cluster.startAll();
  await writeMany(cluster, leader, 18);
  const disk = cluster.disk('a');
  let saving = true;
  const { inner } = disk;
  const save = inner.saveSnapshot.bind(inner);
  const waiting: (() => void)[] = [];
  inner.saveSnapshot = async (meta, chunks) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    await save(meta, chunks);
    saving = false;
  };
  await writeMany(cluster, leader, 30, 'during');
  assert.ok(saving, 'the snapshot is still being saved');
  assert.equal(waiting.length, 1, 'the point passed meanwhile is skipped');
  for (const go of waiting) go();
  await cluster.world.until('it is saved', () => cluster.status('a').snapshotIndex === 20);
  await cluster.world.until('the log is cut', () => inner.firstIndex() === 16);
  // The next point counts again.
  await writeMany(cluster, leader, 15, 'after');
  for (const go of waiting) go();
  await cluster.world.until('the next is saved', () => cluster.status('a').snapshotIndex === 60);
});

test('[NODE-23] a follower far behind gets a snapshot while writes go on', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], { settings: SETTINGS });
  const leader = await cluster.startAll();
  const again = cluster.follower();
  await writeMany(cluster, leader, 7, 'seen');
  await cluster.converged();
  cluster.isolate(again.id);
  await writeMany(cluster, leader, 60);
  cluster.heal();
  let i = 0;
  await cluster.world.until('it has caught up', () => {
    if (i < 500) cluster.propose(leader, `more${i++}`);
    return again.machine.restores > 0 && again.machine.counts.has('more20');
  });
  assert.ok(again.machine.restores > 0);
  await cluster.converged();
  assert.equal(again.machine.counts.get('w0'), 1);
  // From the snapshot on it counts to the same points as the others.
  await writeMany(cluster, leader, 30, 'later');
  await cluster.converged();
  await cluster.world.run(500);
  const points = cluster.running().map(({ node }) => node.status().snapshotIndex);
  assert.deepEqual(points, [points[0], points[0], points[0]]);
});

test('[NODE-24] a restart begins from the snapshot and applies only what follows it', async () => {
  const cluster = new Cluster(['a'], { settings: SETTINGS });
  const before = await cluster.startAll();
  await writeMany(cluster, before, 30);
  await cluster.world.run(100);
  await cluster.crash('a');
  const after = cluster.start('a');
  await cluster.leader();
  assert.match(await cluster.write(after, 'x'), /^x#1@/);
  assert.equal(after.machine.restores, 1);
  assert.equal(after.machine.applied[0]!.index, 21);
  for (let i = 0; i < 30; i++) assert.equal(after.machine.counts.get(`w${i}`), 1);
});

test('[NODE-26] a transfer goes on where it stood though the leader changes', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], {
    settings: { ...SETTINGS, snapshotEveryEntries: 40, snapshotChunkBytes: 64 },
  });
  await cluster.startAll();
  const late = cluster.follower().id;
  await cluster.crash(late);
  const first = await cluster.leader();
  await writeMany(cluster, first, 45);
  await cluster.converged();
  const disk = cluster.disk(late);
  disk.latencyMs = 30;
  cluster.start(late);
  await cluster.world.until('a part is sent', () => offsets(first).length > 3);
  const reached = Math.max(...offsets(first));
  void first.node.transfer(undefined).catch(() => {});
  await cluster.world.until('it steps down', () => first.node.status().role !== 'leader');
  const second = await cluster.leader();
  assert.notEqual(second.id, first.id);
  await cluster.world.until('the rest is sent', () => cluster.at(late).machine.restores > 0);
  const fromSecond = offsets(second).filter((offset) => offset > 0);
  assert.ok(Math.min(...fromSecond) >= reached - 128, `${fromSecond[0]} after ${reached}`);
  await cluster.converged();
});

test('[NODE-27] when the store refuses a received snapshot, the transfer starts over', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], { settings: SETTINGS });
  await cluster.startAll();
  const late = cluster.follower().id;
  await cluster.crash(late);
  const leader = await cluster.leader();
  await writeMany(cluster, leader, 45);
  const { inner } = cluster.disk(late);
  const save = inner.saveSnapshot.bind(inner);
  let refusals = 2;
  inner.saveSnapshot = async (meta, chunks) => {
    if (refusals-- > 0) {
      for await (const chunk of chunks) assert.ok(chunk.length > 0);
      throw new Error('no room');
    }
    await save(meta, chunks);
  };
  const again = cluster.start(late);
  await cluster.world.until('it is taken in the end', () => again.machine.restores > 0);
  assert.equal(refusals, -1);
  await cluster.converged();
});

test('[NODE-22] a snapshot that cannot be saved costs nothing but the point', async () => {
  const cluster = new Cluster(['a'], { settings: SETTINGS });
  const leader = await cluster.startAll();
  const { inner } = cluster.disk('a');
  const save = inner.saveSnapshot.bind(inner);
  let failures = 1;
  inner.saveSnapshot = (meta, chunks) => {
    return failures-- > 0 ? Promise.reject(new Error('no room')) : save(meta, chunks);
  };
  await writeMany(cluster, leader, 45);
  await cluster.world.until('the next is saved', () => cluster.status('a').snapshotIndex === 40);
  const call = cluster.read(leader, 'w0', 'linearizable');
  await cluster.answered(call);
  assert.equal(resultOf(call), '1');
});

test('[NODE-28] repeated chunks do not multiply; a refusal is not followed at once', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], {
    seed: 3,
    settings: { ...SETTINGS, snapshotChunkBytes: 64 },
  });
  const leader = await cluster.startAll();
  const late = cluster.follower();
  cluster.isolate(late.id);
  await writeMany(cluster, leader, 45);
  const { inner } = cluster.disk(late.id);
  const save = inner.saveSnapshot.bind(inner);
  let full = true;
  inner.saveSnapshot = async (meta, chunks) => {
    if (!full) return save(meta, chunks);
    for await (const chunk of chunks) assert.ok(chunk.length > 0);
    throw new Error('no room');
  };
  cluster.faults.delayMs = 1;
  cluster.faults.repeat = 0.3;
  cluster.heal();
  leader.transport.sent.length = 0;
  await cluster.world.run(4_000);
  const sent = offsets(leader).length;
  assert.ok(sent > 10 && sent < 500, `${sent} chunks`);
  full = false;
  await cluster.world.until('it is taken', () => late.machine.restores > 0);
  await cluster.converged();
});
