import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MalformedBytesError } from '../../src/base/index.ts';
import {
  encodeCommand,
  RegistryStateMachine,
  type RegistryCommand,
  type Revision,
  type SessionId,
} from '../../src/registry/index.ts';
import { restore, Rig, textOf } from './rig.ts';

const MAX_CHUNK = 256 * 1024;

function putOf(key: string): RegistryCommand {
  const value = new Uint8Array([1]);
  return { type: 'put', key, value, ttlMs: 0, ephemeral: false, lock: false };
}

/** Something of everything, in several blocks. */
function furnished(): Rig {
  const rig = new Rig();
  const [one, two] = [rig.open(), rig.open()];
  for (let i = 0; i < 6000; i++) rig.put(`key/${i}`, `${i}`.repeat(20));
  rig.do({ type: 'compact', revision: 4000 as Revision });
  rig.put('large', 'x'.repeat(900_000));
  rig.put('ttl', 'v', { ttlMs: 5000 });
  rig.token('job', one);
  rig.token('job', two);
  rig.do({ type: 'delete', key: 'key/7' }, { session: two, sequence: 3, acknowledged: 1 });
  return rig;
}

function pieces(bytes: Uint8Array, length: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += length) parts.push(bytes.subarray(at, at + length));
  return parts;
}

test('[REG-19] chunks are bounded, and restore however they are cut', () => {
  const rig = furnished();
  const chunks = [...rig.machine.snapshotChunks()];
  assert.ok(chunks.length > 4);
  for (const chunk of chunks) assert.ok(chunk.length <= MAX_CHUNK);
  const whole = Buffer.concat(chunks);
  for (const length of [whole.length, 1 << 20, 4099, 50_000]) {
    const copy = new Rig();
    restore(copy.machine, pieces(whole, length));
    assert.ok(copy.snapshot().equals(whole));
  }
});

test('[NODE-64] a command leaves the same state whether its result is wanted or not', () => {
  const commands: Uint8Array[] = [];
  const header = { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: 'a' };
  const [label, metadata] = ['', new Uint8Array(0)];
  commands.push(
    encodeCommand(header, { type: 'openSession', ttlMs: 1000, label, metadata, trapExits: false }),
    encodeCommand({ ...header, session: 1 as SessionId, sequence: 1 }, putOf('a')),
    encodeCommand({ ...header, session: 9 as SessionId }, putOf('refused')),
    Uint8Array.of(250, 1, 2),
  );
  const [wanted, unwanted] = [new RegistryStateMachine(), new RegistryStateMachine()];
  for (const machine of [wanted, unwanted]) machine.leaderSide.elected(1000);
  commands.forEach((command, at) => {
    const context = { index: at + 1, term: 1, time: 1000 + at };
    wanted.apply(command, context);
    unwanted.applyUnanswered(command, context);
  });
  const [one, other] = [wanted, unwanted].map((each) => Buffer.concat([...each.snapshotChunks()]));
  assert.ok(one!.equals(other!));
  const expiry = wanted.leaderSide.due(1e6);
  assert.ok(expiry !== undefined);
  assert.deepEqual(unwanted.leaderSide.due(1e6), expiry, 'sessions are kept alive all the same');
});

test('[NODE-76] the length of a snapshot is known about before it is taken', () => {
  const rig = new Rig({ historyRevisions: 10 });
  for (let i = 0; i < 2_000; i++) rig.put(`key${i}`, 'x'.repeat(i % 200));
  for (let i = 0; i < 1_000; i++) rig.put(`key${i}`, 'y'.repeat(i % 50));
  for (let i = 500; i < 1_500; i++) rig.delete(`key${i}`);
  const whole = rig.snapshot();
  const { snapshotBytes } = rig.machine;
  assert.ok(snapshotBytes > 0.5 * whole.length && snapshotBytes < 2 * whole.length);
  assert.equal(rig.restored(whole).machine.snapshotBytes, snapshotBytes);
});

test('[NODE-76] the length of a snapshot is known with the history in it', () => {
  const rig = new Rig();
  for (let i = 0; i < 2_000; i++) rig.put(`key${i % 10}`, 'x'.repeat(100));
  const whole = rig.snapshot();
  const { snapshotBytes } = rig.machine;
  assert.ok(snapshotBytes > 0.5 * whole.length && snapshotBytes < 2 * whole.length);
  assert.equal(rig.restored(whole).machine.snapshotBytes, snapshotBytes);
});

test('[REG-18] a damaged snapshot is refused with the place, and the state stays as it was', () => {
  const whole = furnished().snapshot();
  const target = new Rig();
  target.put('mine', 'kept');
  const damage: [string, Uint8Array][] = [
    ['empty', new Uint8Array(0)],
    ['cut off in the first block', whole.subarray(0, 100)],
    ['cut off in the last block', whole.subarray(0, whole.length - 1)],
    ['something after the end', Buffer.concat([whole, Buffer.from([0])])],
    ['twice', Buffer.concat([whole, whole])],
  ];
  for (const at of [0, 3, 5, 8, 12, 13, 30, 1000, whole.length >>> 1, whole.length - 1]) {
    const flipped = Buffer.from(whole);
    flipped[at]! ^= 0x10;
    damage.push([`bit flipped at ${at}`, flipped]);
  }
  for (const [what, bytes] of damage) {
    assert.throws(
      () => restore(target.machine, [bytes]),
      (error) => {
        assert.ok(error instanceof MalformedBytesError, what);
        assert.match(error.message, /damaged snapshot: block \d+: /, what);
        return true;
      },
    );
  }
  assert.equal(textOf(target.get('mine')), 'kept');
});

test('[REG-18] a block left out, or two in the wrong order, is noticed', () => {
  const chunks = [...furnished().machine.snapshotChunks()];
  // Blocks of less than a chunk are chunks themselves; the last is the end.
  const [first, second, ...others] = chunks;
  const wrong = [[first!, ...others], [second!, first!, ...others], chunks.slice(0, -1)];
  for (const order of wrong) {
    assert.throws(() => restore(new RegistryStateMachine(), order), MalformedBytesError);
  }
  const repeated = [first!, second!, second!, ...others];
  assert.throws(() => restore(new RegistryStateMachine(), repeated), MalformedBytesError);
});

test('[REG-16] keys made, changed and deleted, and history cleaned, do not show in a cut', () => {
  const rig = furnished();
  const whole = rig.snapshot();
  const parts: Uint8Array[] = [];
  for (const chunk of rig.machine.snapshotChunks()) {
    parts.push(chunk);
    for (let i = 0; i < 500; i++) {
      rig.put(`key/${(i * 13) % 6000}`, 'changed');
      rig.delete(`key/${(i * 17) % 6000}`);
      rig.put(`new/${parts.length}/${i}`, '');
    }
    rig.do({ type: 'compact', revision: rig.machine.revision });
  }
  assert.ok(Buffer.concat(parts).equals(whole));
  assert.ok(!rig.snapshot().equals(whole));
});

test('[REG-20] a snapshot nobody reads to its end is given up when newer ones come', () => {
  const rig = furnished();
  const abandoned = rig.machine.snapshotChunks();
  abandoned.next();
  const newer = Array.from({ length: 4 }, () => rig.machine.snapshotChunks());
  assert.throws(() => [...abandoned], /snapshot was given up: 4 newer snapshots/);
  const [first, ...others] = newer.map((chunks) => Buffer.concat([...chunks]));
  for (const other of others) assert.ok(other.equals(first!));
});

test('[REG-20] leaving a snapshot early, or never beginning it, ends it', async () => {
  const rig = furnished();
  const whole = rig.snapshot();
  for (let round = 0; round < 10; round++) {
    for await (const chunk of rig.machine.snapshot()) {
      assert.ok(chunk.length > 0);
      break;
    }
    const iterator = rig.machine.snapshot()[Symbol.asyncIterator]();
    await iterator.return?.();
    assert.equal((await iterator.next()).done, true);
  }
  assert.ok(rig.snapshot().equals(whole));
});

test('[REG-17] a stream restores the whole state, or rejects', async () => {
  const rig = furnished();
  const copy = new Rig();
  copy.put('old', '');
  await copy.machine.restore(rig.machine.snapshot());
  assert.ok(copy.snapshot().equals(rig.snapshot()));

  async function* failing(): AsyncGenerator<Uint8Array> {
    for await (const chunk of rig.machine.snapshot()) {
      yield chunk;
      throw new Error('the disk went away');
    }
  }
  await assert.rejects(copy.machine.restore(failing()), /the disk went away/);
  let left = false;
  async function* garbage(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield new Uint8Array(100).fill(3);
    } finally {
      left = true;
    }
  }
  await assert.rejects(copy.machine.restore(garbage()), MalformedBytesError);
  assert.equal(left, true);
  assert.ok(copy.snapshot().equals(rig.snapshot()));
});
