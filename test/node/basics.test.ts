/** What callers of a healthy cluster may rely on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, resultOf } from './support/cluster.ts';
import { bytes } from './support/machine.ts';

test('[NODE-1] a single node founds its cluster, leads and answers', async () => {
  const cluster = new Cluster(['a']);
  const leader = await cluster.startAll();
  assert.equal(await cluster.write(leader, 'x'), 'x#1@2');
  assert.equal(cluster.status('a').role, 'leader');
});

test('[NODE-2] three nodes found one cluster, elect a leader and apply the same', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  assert.equal(await cluster.write(leader, 'x'), 'x#1@2');
  await cluster.converged();
  const ids = cluster.running().map(({ node }) => node.status().clusterId);
  assert.equal(new Set(ids).size, 1);
  assert.notEqual(ids[0], '');
  for (const { machine } of cluster.running()) assert.equal(machine.counts.get('x'), 1);
});

test('[NODE-3] any node takes writes and reads and serves what was acknowledged', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  await cluster.startAll();
  for (const instance of cluster.running()) {
    const name = `via-${instance.id}`;
    assert.match(await cluster.write(instance, name), new RegExp(`^${name}#1@`));
    for (const reader of cluster.running()) {
      const call = cluster.read(reader, name, 'linearizable');
      await cluster.answered(call);
      assert.equal(resultOf(call), '1', `${reader.id} reads what ${instance.id} wrote`);
    }
  }
});

test('[NODE-64] a result is made only where somebody waits for it', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  assert.match(await cluster.write(leader, 'here'), /^here#1@/);
  const other = cluster.running().find(({ id }) => id !== leader.id)!;
  assert.match(await cluster.write(other, 'forwarded'), /^forwarded#1@/);
  await cluster.converged();
  for (const { id, machine } of cluster.running()) {
    const expected = id === leader.id ? [] : ['here', 'forwarded'];
    assert.deepEqual(machine.unanswered, expected, id);
  }
});

test('[NODE-4] what is proposed in one turn is one write, one message a follower', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], { settings: { maxAppendBytes: 1 << 20 } });
  const leader = await cluster.startAll();
  await cluster.write(leader, 'warm');
  await cluster.world.run(200);
  const disk = cluster.disk(leader.id);
  const writesBefore = disk.writes;
  leader.transport.sent.length = 0;
  const calls = Array.from({ length: 1000 }, (_, i) => cluster.propose(leader, `p${i}`));
  await cluster.answered(...calls);
  const withEntries = leader.transport.sent.filter(
    (message) => message.type === 'appendRequest' && message.entries.length > 0,
  );
  assert.equal(disk.writes - writesBefore, 1);
  assert.equal(disk.batches.at(-1)!.entries!.length, 1000);
  assert.equal(withEntries.length, 2);
  assert.ok(calls.every((call, i) => resultOf(call).startsWith(`p${i}#1@`)));
});

test('[NODE-62] entries leave for followers before the own disk is asked to write', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  await cluster.write(leader, 'warm');
  const { transport } = leader;
  let leftBefore = 0;
  cluster.disk(leader.id).asked = () => {
    const left = transport.sent.slice(0, transport.flushed);
    leftBefore = left.filter(
      (one) => one.type === 'appendRequest' && one.entries.length > 0,
    ).length;
  };
  transport.sent.length = 0;
  transport.flushed = 0;
  await cluster.write(leader, 'x');
  assert.equal(leftBefore, 2, 'one append for each follower');
});

test('[NODE-4] commands forwarded in one turn travel in one message', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  await cluster.startAll();
  const follower = cluster.follower();
  follower.transport.sent.length = 0;
  const calls = Array.from({ length: 500 }, (_, i) => cluster.propose(follower, `p${i}`));
  await cluster.answered(...calls);
  const forwarded = follower.transport.sent.filter(({ type }) => type === 'forwardRequest');
  assert.equal(forwarded.length, 1);
  assert.ok(calls.every((call, i) => resultOf(call).startsWith(`p${i}#1@`)));
});

test('[NODE-20] callbacks come once, and never before the call has returned', async () => {
  const cluster = new Cluster(['a'], { settings: { maxPendingReads: 1, maxCommandBytes: 3 } });
  const instance = cluster.start('a');
  const early = cluster.propose(instance, 'x');
  assert.equal(early.answers, 0);
  await cluster.answered(early);
  assert.equal(resultOf(early), 'no-leader not-applied');
  await cluster.leader();
  const calls = [
    cluster.propose(instance, 'x'),
    cluster.propose(instance, 'too long'),
    cluster.read(instance, 'x', 'local'),
    cluster.read(instance, 'x', 'local'),
  ];
  assert.deepEqual(
    calls.map(({ answers }) => answers),
    [0, 0, 0, 0],
  );
  await cluster.world.run(1000);
  assert.deepEqual(
    calls.map(({ answers }) => answers),
    [1, 1, 1, 1],
  );
});

test('[NODE-10] what is beyond a limit is refused with the limit named', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], {
    settings: {
      maxPendingCommands: 5,
      maxPendingBytes: 100,
      maxPendingReads: 2,
      maxCommandBytes: 50,
    },
  });
  const leader = await cluster.startAll();
  const many = Array.from({ length: 7 }, (_, i) => cluster.propose(leader, `m${i}`));
  const reads = Array.from({ length: 3 }, () => cluster.read(leader, 'm0', 'linearizable'));
  const big = cluster.propose(leader, 'b'.repeat(51));
  await cluster.answered(...many, ...reads, big);
  assert.deepEqual(
    many.map((call) => call.answer!.type),
    [...Array.from({ length: 5 }, () => 'ok'), 'error', 'error'],
  );
  assert.equal(resultOf(many[6]!), 'overloaded not-applied');
  assert.equal(resultOf(reads[2]!), 'overloaded not-applied');
  assert.equal(resultOf(big), 'too-large not-applied');
  const bulky = Array.from({ length: 3 }, (_, i) => cluster.propose(leader, `${i}`.repeat(40)));
  await cluster.answered(...bulky);
  assert.equal(resultOf(bulky[2]!), 'overloaded not-applied');
  const answer = many[6]!.answer!;
  assert.ok(answer.type === 'error' && /maxPendingCommands \(5\)/.test(answer.error.message));
});

test('[NODE-10] a leader refuses forwarded commands beyond its limit', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], { settings: { maxPendingCommands: 4 } });
  await cluster.startAll();
  const [one, two] = cluster.running().filter(({ node }) => node.status().role === 'follower');
  const calls = [one!, two!].flatMap((instance) =>
    Array.from({ length: 3 }, (_, i) => cluster.propose(instance, `${instance.id}${i}`)),
  );
  await cluster.answered(...calls);
  const refused = calls.filter((call) => resultOf(call) === 'overloaded not-applied');
  assert.equal(refused.length, 3);
});

test('[NODE-11] a command that throws is an error to its caller, a no-op everywhere', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const call = cluster.propose(leader, 'throw up');
  await cluster.answered(call);
  assert.equal(resultOf(call), 'invalid-command not-applied');
  assert.match(await cluster.write(leader, 'x'), /^x#1@/);
  await cluster.converged();
  for (const { fatal } of cluster.running()) assert.equal(fatal, undefined);
});

test('[NODE-15] all reads of one turn share one read index', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  await cluster.startAll();
  const follower = cluster.follower();
  await cluster.write(follower, 'x');
  follower.transport.sent.length = 0;
  const calls = Array.from({ length: 100 }, () => cluster.read(follower, 'x', 'linearizable'));
  await cluster.answered(...calls);
  const asked = follower.transport.sent.filter(({ type }) => type === 'readIndexRequest');
  assert.equal(asked.length, 1);
  assert.ok(calls.every((call) => resultOf(call) === '1'));
});

test('[NODE-16] a lease read asks nobody while the lease holds', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  await cluster.write(leader, 'x');
  await cluster.world.run(200);
  const rounds = leader.transport.sent.length;
  const call = cluster.read(leader, 'x', 'lease');
  const before = cluster.world.now;
  await cluster.answered(call);
  assert.equal(resultOf(call), '1');
  assert.equal(cluster.world.now, before);
  assert.equal(leader.transport.sent.length, rounds);
});

test('[NODE-16] after a stall the lease is void: a deposed leader serves nothing old', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const old = await cluster.startAll();
  const others = cluster.running().filter((one) => one !== old);
  old.life.stalledUntil = cluster.world.now + 3_000;
  await cluster.world.until('another leads', () => {
    return others.some(({ node }) => node.status().role === 'leader');
  });
  const next = others.find(({ node }) => node.status().role === 'leader')!;
  await cluster.write(next, 'fresh');
  const call = cluster.read(old, 'fresh', 'lease', 10_000);
  await cluster.answered(call);
  assert.equal(resultOf(call), '1');
});

test('[NODE-17] a local read is served without a quorum, a linearizable one is not', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  await cluster.write(leader, 'x');
  await cluster.converged();
  await cluster.crash('b');
  await cluster.crash('c');
  const alone = cluster.at('a');
  const local = cluster.read(alone, 'x', 'local');
  const fresh = cluster.read(alone, 'x', 'linearizable', 2_000);
  await cluster.answered(local, fresh);
  assert.equal(resultOf(local), '1');
  assert.equal(resultOf(fresh), 'no-quorum not-applied');
});

test('[NODE-18] cluster time grows with the leader and goes on with the next', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const first = await cluster.startAll();
  await cluster.write(first, 'one');
  const began = cluster.world.now;
  await cluster.world.run(1_000);
  await cluster.write(first, 'two');
  const [one, two] = first.machine.applied;
  assert.ok(Math.abs(two!.time - one!.time - (cluster.world.now - began)) <= 2);
  await cluster.converged();
  await cluster.crash(first.id);
  await cluster.world.run(5_000);
  const second = await cluster.leader();
  const elected = cluster.world.now;
  await cluster.write(second, 'three');
  const three = second.machine.applied.at(-1)!;
  assert.ok(three.time >= two!.time, 'never back');
  assert.ok(three.time <= two!.time + 5_000 + (cluster.world.now - elected), 'no leap');
  await cluster.world.run(1_000);
  await cluster.write(second, 'four');
  const four = second.machine.applied.at(-1)!;
  assert.ok(Math.abs(four.time - three.time - 1_000) <= 50, 'it goes on');
});

test('[NODE-75] the leader side opens a leadership, once and before any command', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], {
    leaderSide: (name) => ({
      opening: () => bytes(`opening-${name}`),
      elected: () => undefined,
      deposed: () => undefined,
      query: (request) => request,
      due: () => undefined,
    }),
  });
  // Asked before anybody leads, so that they are there when somebody begins to.
  const nodes = ['a', 'b', 'c'].map((name) => cluster.start(name));
  await cluster.world.until('all take part', () => nodes.every((one) => one.isStarted));
  const early = nodes.map((one, i) => cluster.propose(one, `early-${i}`));
  await cluster.answered(...early);
  const leader = await cluster.leader();
  assert.equal(leader.machine.applied[0]?.command, `opening-${leader.id}`);
  assert.equal(leader.machine.counts.get(`opening-${leader.id}`), 1);

  cluster.isolate(leader.id);
  const next = await cluster.leader(nodes.filter((one) => one !== leader).map((one) => one.id));
  await cluster.write(next, 'late');
  const commands = next.machine.applied.map(({ command }) => command);
  assert.deepEqual(commands.slice(-2), [`opening-${next.id}`, 'late']);
});

test('[NODE-19] the leader side lives with leadership and proposes what is due', async () => {
  const told: string[] = [];
  const cluster = new Cluster(['a', 'b', 'c'], {
    leaderSide: (name) => {
      let due: string | undefined;
      return {
        elected: (time) => {
          told.push(`${name} elected`);
          due = `due-${name}-${time >= 0}`;
        },
        deposed: () => told.push(`${name} deposed`),
        query: (request) => bytes(`${name}:${request.length}`),
        due: () => {
          const command = due;
          due = undefined;
          return command === undefined ? undefined : bytes(command);
        },
      };
    },
  });
  const first = await cluster.startAll();
  await cluster.world.until('what is due is applied', () => {
    return first.machine.counts.has(`due-${first.id}-true`);
  });
  assert.deepEqual(told, [`${first.id} elected`]);
  for (const { node } of cluster.running()) {
    let answer = '';
    node.leaderQuery(bytes('four'), (one) => {
      answer = one.type === 'ok' ? new TextDecoder().decode(one.payload) : one.error.code;
    });
    await cluster.world.until('the query is answered', () => answer !== '');
    assert.equal(answer, `${first.id}:4`);
  }
  cluster.isolate(first.id);
  let stale = 'none';
  first.node.leaderQuery(bytes('five'), ({ type }) => (stale = type));
  await cluster.world.until('it steps down', () => told.includes(`${first.id} deposed`));
  assert.notEqual(stale, 'ok');
  assert.equal(told.filter((line) => line.startsWith(first.id)).length, 2);
});
