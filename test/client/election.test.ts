import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLeaseQuery, encodeCommand, type SessionId } from '../../src/registry/index.ts';
import type { ElectionEvent, Leadership } from '../../src/client/index.ts';
import { failure, harness, type Harness } from './support/harness.ts';
import { eventually } from './support/wait.ts';

/** Notes what an observer sees, in short words. */
function observer({ another }: Harness): { readonly seen: string[]; stop(): void } {
  const seen: string[] = [];
  const controller = new AbortController();
  const registry = another();
  const observe = async (): Promise<void> => {
    const { signal } = controller;
    for await (const event of registry.election('n').observe({ signal })) seen.push(brief(event));
    seen.push('end');
  };
  void observe();
  return { seen, stop: () => controller.abort() };
}

function brief(event: ElectionEvent): string {
  return event.type === 'vacant' ? 'vacant' : `${event.type} ${event.leader.text()}`;
}

async function lengthOf({ time, registry }: Harness): Promise<number> {
  return (await time.until(registry.lockQueue('n'))).length;
}

test('[LOCK-87] one leads at a time, in order, with growing tokens', async () => {
  const harnessed = harness();
  const { time, cluster, another } = harnessed;
  const led: Leadership[] = [];
  const campaigns: Promise<unknown>[] = [];
  for (const name of ['a', 'b', 'c']) {
    const places = cluster.count('lock');
    const campaign = another().election('n').campaign(name);
    campaigns.push(campaign.then((leadership) => led.push(leadership)));
    await eventually(time, 'a place', () => cluster.count('lock') > places);
  }
  for (const [at, name] of ['a', 'b', 'c'].entries()) {
    await time.until(campaigns[at]!);
    await time.advance(1_000);
    assert.equal(led.length, at + 1);
    const leader = await time.until(another().election('n').leader());
    const { session, token } = led[at]!;
    assert.deepEqual([leader?.text(), leader?.session, leader?.token], [name, session, token]);
    await time.until(led[at]!.resign());
  }
  const tokens = led.map(({ token }) => token);
  assert.deepEqual(
    tokens,
    [...tokens].toSorted((x, y) => x - y),
  );
});

test('[LOCK-88] a leader is who holds the lock and wrote the key, nobody else', async () => {
  const { time, registry, another } = harness();
  const election = another().election('n');
  assert.equal(await time.until(election.leader()), undefined);
  await time.until(registry.put('n', 'just a key'));
  assert.equal(await time.until(election.leader()), undefined);
  const lock = await time.until(registry.lock('n'));
  assert.equal(await time.until(election.leader()), undefined, 'it holds, but has said nothing');
  await time.until(lock.unlock());
  await time.until(registry.election('n').campaign('me'));
  assert.equal((await time.until(election.leader()))?.text(), 'me');
  assert.throws(() => registry.election(''), /name/);
});

test('[LOCK-89] observers see leaders, proclamations and vacancies in order', async () => {
  const harnessed = harness();
  const { time, registry, another } = harnessed;
  const early = observer(harnessed);
  await time.advance(100);
  const first = await time.until(registry.election('n').campaign('a1'));
  await time.until(first.proclaim('a2'));
  const late = observer(harnessed);
  await time.advance(500);
  await time.until(first.resign());
  const second = await time.until(another().election('n').campaign('b1'));
  await time.until(second.proclaim('b2'));
  await time.until(second.resign());
  await time.advance(500);
  const rest = ['vacant', 'elected b1', 'proclaimed b2', 'vacant'];
  assert.deepEqual(early.seen, ['elected a1', 'proclaimed a2', ...rest]);
  assert.deepEqual(late.seen, ['elected a2', ...rest]);
  early.stop();
  late.stop();
  await time.advance(100);
  assert.equal(early.seen.at(-1), 'end');
});

test('[LOCK-89] an observer overtaken by compaction goes on with the leader of then', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  const { seen } = observer(harnessed);
  const { session } = await time.until(registry.election('n').campaign('a1'));
  await time.advance(500);
  for (const node of cluster.nodes.values()) node.goDown();
  const header = { session: session as SessionId, sequence: 0, acknowledged: 0, node: '' };
  for (const text of ['a2', 'a3']) {
    const put = { type: 'put', key: 'n', value: Buffer.from(text) } as const;
    const how = { ttlMs: 0, ephemeral: true, lock: false };
    cluster.apply(encodeCommand(header, { ...put, ...how }));
  }
  const { revision } = cluster.registry;
  cluster.apply(encodeCommand(header, { type: 'compact', revision }));
  for (const node of cluster.nodes.values()) node.state = 'up';
  await time.advance(5_000);
  assert.deepEqual(seen, ['elected a1', 'proclaimed a3']);
});

test('[LOCK-90] resigning ends the signal, the lock and the proclamation in one step', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const leadership = await time.until(registry.election('n').campaign('me'));
  await time.until(leadership.resign());
  await time.until(leadership.resign());
  assert.equal(leadership.signal.aborted, true);
  assert.equal(await time.until(registry.get('n')), undefined);
  assert.equal(await lengthOf(harnessed), 0);
  const error = await failure(time.until(leadership.proclaim('still me')));
  assert.equal(error.code, 'not-held');
});

test('[LOCK-90] a leader cut off is told before another leads', async () => {
  const harnessed = harness();
  const { time, cluster, registry, another } = harnessed;
  const leadership = await time.until(registry.election('n').campaign('old', { ttl: '2s' }));
  let toldAtMs = Infinity;
  leadership.signal.addEventListener('abort', () => (toldAtMs = time.now()));
  const next = another().election('n').campaign('new');
  await time.advance(200);
  // Its renewals no longer arrive; the others' do.
  cluster.fateOf = (request) => {
    const renewal = request.type === 'leaderQuery' ? decodeLeaseQuery(request.query) : undefined;
    const ours = renewal?.sessions.some((id) => id === leadership.session);
    return { type: ours === true ? 'lost' : 'served' };
  };
  const second = await time.until(next);
  assert.ok(toldAtMs < time.now(), 'the old one knew first');
  assert.ok(second.token > leadership.token);
  assert.equal((await time.until(another().election('n').leader()))?.text(), 'new');
});

test('[LOCK-91] a leader whose lock is broken is told, and what it said goes', async () => {
  const { time, registry, another } = harness();
  const leadership = await time.until(registry.election('n').campaign('me'));
  await time.until(another().breakLock('n', leadership.token, 'it misbehaves'));
  await time.advance(1_000);
  assert.equal(leadership.signal.aborted, true);
  assert.equal(await time.until(registry.get('n')), undefined);
  assert.equal((await failure(time.until(leadership.proclaim('me')))).code, 'not-held');
});

test('[LOCK-92] a campaign given up leaves neither a place nor a session behind', async () => {
  const harnessed = harness();
  const { time, registry, another } = harnessed;
  await time.until(registry.election('n').campaign('me'));
  const before = await time.until(registry.sessions());
  const late = another({ exactlyOnce: false }).election('n').campaign('late', { wait: '1s' });
  assert.equal((await failure(time.until(late))).code, 'lock-timeout');
  const tried = another({ exactlyOnce: false }).election('n').campaign('x', { try: true });
  assert.equal((await failure(time.until(tried))).code, 'locked');
  await time.advance(1_000);
  assert.equal(await lengthOf(harnessed), 1);
  assert.deepEqual(await time.until(registry.sessions()), before);
});

test('[LOCK-93] a leadership in a given session leaves that session open', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const session = await time.until(registry.openSession());
  const election = registry.election('n');
  const first = await time.until(election.campaign('one', { session }));
  assert.equal(first.session, session.id);
  await time.until(first.resign());
  assert.equal(session.signal.aborted, false);
  assert.equal(await time.until(registry.get('n')), undefined);
  assert.equal(await lengthOf(harnessed), 0);
  const second = await time.until(election.campaign('two', { session }));
  assert.ok(second.token > first.token);
});

test('[LOCK-90] a leader that is not renewed any more leaves its lock-delay in force', async () => {
  const { time, cluster, registry, another } = harness();
  const options = { ttl: '5s', lockDelay: '3s' } as const;
  const leadership = await time.until(registry.election('svc').campaign('one', options));
  cluster.fateOf = ({ type }) => (type === 'leaderQuery' ? { type: 'lost' } : { type: 'served' });
  await time.advance(6_000);
  assert.ok(leadership.signal.aborted);
  const [place] = await time.until(another().lockQueue('svc'));
  assert.equal(place?.delayed, true);
});

test('[LOCK-104] who was deposed without knowing it proclaims nothing', async () => {
  const { time, cluster, registry, another } = harness();
  const leadership = await time.until(registry.election('n').campaign('one'));
  await time.until(leadership.proclaim('two'));
  // The leader's watches hang: nobody tells it of the break.
  for (const node of cluster.nodes.values()) node.heldBackAt = cluster.registry.revision;
  const other = another();
  await time.until(other.breakLock('n', leadership.token, 'it misbehaves'));
  assert.equal(leadership.signal.aborted, false);
  const revision = cluster.registry.revision;
  const error = await failure(time.until(leadership.proclaim('three')));
  assert.equal(error.code, 'not-held');
  assert.match(error.message, /led no more/);
  assert.equal((await time.until(other.get('n', { revision })))?.text(), 'two');
  assert.equal(leadership.signal.aborted, true, 'and knows it now');
  await time.advance(100);
  assert.equal(await time.until(other.get('n')), undefined, 'its session took the rest along');
});

test('[LOCK-105] a proclamation answered after its leader went is not called undone', async () => {
  const { time, cluster, registry, another } = harness();
  const session = await time.until(registry.openSession({ ttl: '2s', keepAlive: false }));
  const leadership = await time.until(registry.election('n').campaign('one', { session }));
  await time.advance(1_850);
  // There in time, and back when the session may have expired.
  cluster.latencyMs = () => 70;
  const error = await failure(time.until(leadership.proclaim('two')));
  assert.deepEqual([error.code, error.outcome], ['session-expired', 'unknown']);
  const { revision } = cluster.registry;
  assert.equal((await time.until(another().get('n', { revision })))?.text(), 'two');
  const late = await failure(time.until(leadership.proclaim('three')));
  assert.deepEqual([late.code, late.outcome], ['session-expired', 'not-applied']);
});
