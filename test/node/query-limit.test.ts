/** Leader queries are bounded wherever they wait, not only in the queue of the turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LeaderSide } from '../../src/node/index.ts';
import { Cluster, resultOf } from './support/cluster.ts';
import type { Call, Instance } from './support/cluster.ts';
import { bytes } from './support/machine.ts';

const echo: LeaderSide = {
  elected: () => {},
  deposed: () => {},
  query: (request) => request,
  due: () => undefined,
};

function ask(instance: Instance, timeoutMs: number): Call {
  const call: Call = { answer: undefined, answers: 0 };
  instance.node.leaderQuery(
    bytes('q'),
    (answer) => {
      call.answer = answer;
      call.answers += 1;
    },
    { timeoutMs },
  );
  return call;
}

for (const asked of ['leader', 'follower'] as const) {
  test(`[NODE-10] queries a ${asked} has not answered are bounded, turn after turn`, async () => {
    const settings = { maxPendingReads: 10 };
    const cluster = new Cluster(['a', 'b', 'c'], { settings, leaderSide: () => echo });
    const leader = await cluster.startAll();
    const instance = asked === 'leader' ? leader : cluster.follower();
    const first = ask(instance, 5_000);
    await cluster.answered(first);
    assert.equal(resultOf(first), 'q');
    // Nobody answers the leader, and it does not answer anybody.
    for (const { id } of cluster.running()) {
      if (id !== leader.id) cluster.network.cut(id, leader.id);
      if (id !== leader.id) cluster.network.cut(leader.id, id);
    }
    const calls: Call[] = [];
    for (let i = 0; i < 15; i++) {
      calls.push(ask(instance, 200));
      await cluster.world.run(1);
    }
    await cluster.answered(...calls);
    const overloaded = calls.filter((call) => resultOf(call) === 'overloaded not-applied');
    assert.equal(overloaded.length, 5);
    cluster.heal();
    await cluster.leader();
    // All that waited has left its place.
    const again = Array.from({ length: 10 }, () => ask(instance, 5_000));
    await cluster.answered(...again);
    for (const call of again) assert.equal(resultOf(call), 'q');
  });
}
