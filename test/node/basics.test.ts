import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from './support/cluster.ts';

test('[NODE-1] a single node founds its cluster, leads and answers', async () => {
  const cluster = new Cluster(['a']);
  const leader = await cluster.startAll();
  assert.equal(await cluster.write(leader, 'x'), 'x#1@2');
});

test('[NODE-2] three nodes found one cluster and replicate', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  assert.equal(await cluster.write(leader, 'x'), 'x#1@2');
  await cluster.converged();
  assert.equal(await cluster.write(cluster.follower(), 'y'), 'y#1@3');
});
