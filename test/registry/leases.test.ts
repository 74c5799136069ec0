import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeCommand,
  decodeLeaseAnswer,
  encodeLeaseQuery,
  type RegistryCommand,
  type SessionId,
} from '../../src/registry/index.ts';
import { bytes, Rig } from './rig.ts';

class Leader extends Rig {
  keepAlive(time: number, ...sessions: SessionId[]): readonly number[] {
    const query = encodeLeaseQuery({ type: 'keepAlive', sessions });
    return decodeLeaseAnswer(this.machine.leaderSide.query(query, time)).ttlMs;
  }

  due(time: number): RegistryCommand | undefined {
    const command = this.machine.leaderSide.due(time);
    return command === undefined ? undefined : decodeCommand(command).command;
  }
}

test('[SESS-9] a new leader gives every session its full TTL from its election on', () => {
  const rig = new Leader();
  const [short, long] = [rig.open(1000), rig.open(5000)];
  rig.machine.leaderSide.elected(100_000);
  assert.equal(rig.due(100_999), undefined);
  assert.deepEqual(rig.due(101_000), { type: 'expireSessions', sessions: [short] });
  assert.deepEqual(rig.due(105_000), { type: 'expireSessions', sessions: [short, long] });
});

test('[SESS-10] [SESS-17] each keep-alive puts the end off by a TTL from its own time', () => {
  const rig = new Leader();
  const session = rig.open(1000);
  rig.machine.leaderSide.elected(0);
  for (let time = 900; time < 10_000; time += 900) {
    assert.deepEqual(rig.keepAlive(time, session), [1000]);
    assert.equal(rig.due(time + 999), undefined);
  }
  // A keep-alive that was answered with an older time does not shorten the lease.
  rig.keepAlive(10_000, session);
  rig.keepAlive(9_500, session);
  assert.equal(rig.due(10_999), undefined);
  assert.deepEqual(rig.due(11_000), { type: 'expireSessions', sessions: [session] });
});

test('[SESS-11] an end is proposed once, and again only after a while without effect', () => {
  const rig = new Leader();
  const session = rig.open(1000);
  rig.machine.leaderSide.elected(0);
  const command = { type: 'expireSessions', sessions: [session] } as const;
  assert.deepEqual(rig.due(1000), command);
  for (let time = 1000; time < 2000; time += 100) assert.equal(rig.due(time), undefined);
  assert.deepEqual(rig.due(2000), command);
  rig.do(command);
  assert.equal(rig.due(10_000), undefined);
});

test('[SESS-12] no lease is renewed for a session that ended, or whose end is on its way', () => {
  const rig = new Leader();
  const [one, two, three] = [rig.open(1000), rig.open(1000), rig.open(1000)];
  rig.machine.leaderSide.elected(0);
  rig.close(two);
  assert.deepEqual(rig.keepAlive(500, three, two, 99 as SessionId), [1000, 0, 0]);
  rig.due(1000);
  assert.deepEqual(rig.keepAlive(1001, one, three), [0, 1000]);
  assert.deepEqual(decodeLeaseAnswer(rig.machine.leaderSide.query(bytes('?'), 0)).ttlMs, []);
});

test('[SESS-13] when a key is due and nothing flows, a tick is asked for, once', () => {
  const rig = new Leader();
  rig.machine.leaderSide.elected(0);
  rig.put('k', '', { ttlMs: 500 });
  rig.put('later', '', { ttlMs: 700 });
  assert.equal(rig.due(1499), undefined);
  assert.deepEqual(rig.due(1500.4), { type: 'tick' });
  assert.equal(rig.due(1600), undefined);
  rig.time = 1500.4;
  rig.tick();
  assert.equal(rig.get('k'), undefined);
  assert.equal(rig.due(1650), undefined);
  assert.deepEqual(rig.due(1700), { type: 'tick' });
  assert.equal(rig.due(2600), undefined);
  // The tick was lost.
  assert.deepEqual(rig.due(2700), { type: 'tick' });
});

test('[SESS-14] a session opened under this leader has its lease from the time in the log', () => {
  const rig = new Leader();
  rig.machine.leaderSide.elected(0);
  rig.time = 3000;
  const session = rig.open(1000);
  assert.deepEqual(rig.keepAlive(3100, session), [1000]);
  assert.equal(rig.due(4099), undefined);
  assert.deepEqual(rig.due(4100), { type: 'expireSessions', sessions: [session] });
});

test('[SESS-14] the retry of an opening leaves the lease as it was renewed', () => {
  const rig = new Leader();
  rig.machine.leaderSide.elected(0);
  const owner = rig.open(10_000);
  const open = {
    type: 'openSession',
    ttlMs: 1000,
    label: '',
    metadata: bytes(''),
    trapExits: false,
  } as const;
  const header = { session: owner, sequence: 1, acknowledged: 0 };
  const first = rig.do(open, header);
  assert.equal(first.type, 'session');
  const session = first.type === 'session' ? first.session : owner;
  rig.keepAlive(1900, session);
  assert.deepEqual(rig.do(open, header), first);
  assert.equal(rig.due(2899), undefined);
  assert.deepEqual(rig.due(2900), { type: 'expireSessions', sessions: [session] });
});

test('[SESS-15] off duty nothing is due, and nothing is remembered of the last leadership', () => {
  const rig = new Leader();
  const session = rig.open(1000);
  rig.put('k', '', { ttlMs: 10 });
  assert.equal(rig.due(1e9), undefined);
  assert.deepEqual(rig.keepAlive(0, session), [0]);
  rig.machine.leaderSide.elected(0);
  rig.due(1000);
  rig.machine.leaderSide.deposed();
  assert.equal(rig.due(1e9), undefined);
  rig.machine.leaderSide.elected(5000);
  assert.deepEqual(rig.keepAlive(5500, session), [1000]);
});

test('[SESS-11] leases of many sessions, most closed early, neither pile up nor are lost', () => {
  const rig = new Leader();
  rig.machine.leaderSide.elected(0);
  const kept: SessionId[] = [];
  for (let i = 0; i < 5000; i++) {
    const session = rig.open(2000 + (i % 7));
    if (i % 100 === 0) kept.push(session);
    else rig.close(session);
  }
  assert.equal(rig.due(2999), undefined);
  const ended = new Set<SessionId>();
  for (let time = 3000; time < 3010; time++) {
    const command = rig.due(time);
    if (command?.type === 'expireSessions') command.sessions.forEach((one) => ended.add(one));
  }
  assert.deepEqual(
    [...ended].toSorted((a, b) => a - b),
    kept,
  );
});
