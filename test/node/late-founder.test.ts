/** A founding member that everybody met, and that was gone before it wrote its record down. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from './support/cluster.ts';

test('[NODE-30] a member that crashed while founding is one, however late it returns', async () => {
  const settings = { snapshotEveryEntries: 10, trailingEntries: 1_000 };
  const cluster = new Cluster(['a', 'b', 'c'], { settings });
  const { inner } = cluster.disk('c');
  const save = inner.saveSnapshot.bind(inner);
  inner.saveSnapshot = () => new Promise(() => {});
  for (const name of ['a', 'b', 'c']) cluster.start(name);
  const leader = await cluster.leader(['a', 'b']);
  await cluster.crash('c');
  inner.saveSnapshot = save;
  // A snapshot took the place of the record, and the log still goes back to its beginning.
  for (let i = 0; i < 25; i++) await cluster.write(leader, `w${i}`);
  await cluster.converged();
  for (const name of ['a', 'b']) assert.equal(cluster.status(name).snapshotIndex, 20);
  const { clusterId } = cluster.status('a');
  cluster.start('c');
  await cluster.converged();
  assert.equal(cluster.status('c').clusterId, clusterId);
  await cluster.crash(leader.id);
  const next = await cluster.leader();
  assert.match(await cluster.write(next, 'after'), /^after#1@/);
});
