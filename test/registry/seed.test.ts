/** Seeds: what a new cluster begins with, made of the old one's snapshot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SnapshotImage, type RegistrySeed } from '../../src/registry/index.ts';
import { everyLog } from './generate.ts';
import { NONE, refused, resultOf, Rig, textOf } from './rig.ts';

const RAISE = 1_000_000_000;
const EXCLUSIVE = { mode: 'exclusive', permits: 0, limit: 0, delayMs: 0 } as const;

function imageOf(rig: Rig): SnapshotImage {
  const image = new SnapshotImage();
  image.push(rig.snapshot());
  image.finish();
  return image;
}

function seedOf(rig: Rig, raiseBy = RAISE): RegistrySeed {
  return imageOf(rig).seed(rig.index, raiseBy);
}

/** A new registry that begins with the seed. */
function grown(rig: Rig, seed: RegistrySeed): Rig {
  const copy = rig.restored(Buffer.concat([...seed.chunks()]));
  copy.index = rig.index + RAISE;
  return copy;
}

test('[BACKUP-4] a seed has no sessions, nothing they owned, and no places in queues', () => {
  const rig = new Rig();
  rig.put('plain', 'kept');
  rig.put('ttl', 'kept too', { ttlMs: 60_000 });
  const [one, two] = [rig.open(), rig.open()];
  rig.put('mine', 'gone', { ephemeral: true, by: one });
  rig.put('numbered', '1');
  rig.token('job', one);
  rig.token('job', two);
  const seed = seedOf(rig);
  assert.deepEqual(seed.summary, {
    revision: rig.machine.revision + 1 + RAISE,
    compactRevision: rig.machine.revision + 1 + RAISE,
    time: rig.time,
    keys: 3,
    sessions: 0,
  });
  const copy = grown(rig, seed);
  assert.deepEqual(copy.keys(), ['numbered', 'plain', 'ttl']);
  assert.equal(textOf(copy.get('plain')), 'kept');
  assert.deepEqual(copy.get('ttl'), rig.get('ttl'), 'records are as they were, expiry included');
  assert.equal(copy.stats().sessions, 0);
  assert.equal(copy.view('job').lock, undefined);
  refused(copy.lock('job', one), 'session-expired');
});

test('[BACKUP-5] revisions and tokens go on far above those of the old cluster', () => {
  const rig = new Rig();
  rig.put('a', '1');
  const snapshot = imageOf(rig);
  const index = rig.index;
  // What the old cluster does after the snapshot.
  const lost = rig.open();
  const lostToken = rig.token('job', lost);
  for (let i = 0; i < 100; i++) rig.put('a', `${i}`);
  const copy = grown(rig, snapshot.seed(index, RAISE));
  assert.equal(copy.machine.eventsSince(3 as never, '', undefined, 10).type, 'compacted');
  const session = copy.open();
  assert.ok(session > lost);
  assert.ok(copy.token('job', session) > Math.max(lostToken, rig.machine.revision));
  const put = resultOf(copy.put('a', 'new'), 'key');
  assert.ok(put.view.record !== undefined && put.view.record.modRevision > RAISE);
});

test('[BACKUP-4] a lock-delay outlives the restore, as it outlives the holder', () => {
  const rig = new Rig();
  const session = rig.open();
  const terms = { ...EXCLUSIVE, delayMs: 5_000 };
  rig.do({ type: 'lock', name: 'job', wait: false, metadata: NONE, terms }, { session });
  const copy = grown(rig, seedOf(rig));
  const other = copy.open();
  assert.notEqual(copy.view('job').lock, undefined);
  refused(copy.lock('job', other, false), 'locked');
  copy.time += 5_001;
  resultOf(copy.lock('job', other, false), 'lock');
});

test('[BACKUP-4] keys that are due go on expiring at the time they were to', () => {
  const rig = new Rig();
  rig.put('soon', 'v', { ttlMs: 1_000 });
  const copy = grown(rig, seedOf(rig));
  copy.time += 999;
  copy.tick();
  assert.notEqual(copy.get('soon'), undefined);
  copy.time += 1;
  copy.tick();
  assert.equal(copy.get('soon'), undefined);
});

test('[BACKUP-4] the seed of any state is that state once all its sessions have expired', () => {
  const runs = { numRuns: Number(process.env['REGISTRY_RUNS'] ?? 60) };
  fc.assert(
    fc.property(everyLog(60), (log) => {
      const rig = new Rig();
      for (const { header, command, advanceMs } of log) {
        rig.time += advanceMs;
        rig.do(command, header);
      }
      const seed = seedOf(rig);
      const bytes = Buffer.concat([...seed.chunks()]);
      const again = seedOf(rig.restored(rig.snapshot()));
      assert.ok(bytes.equals(Buffer.concat([...again.chunks()])), 'the same on every node');
      assert.ok(bytes.equals(Buffer.concat([...seed.chunks()])), 'the same with every call');
      const copy = grown(rig, seed);
      const sessions = Array.from({ length: rig.index + 1 }, (_, id) => id as never);
      rig.do({ type: 'expireSessions', sessions }, { node: '' });
      assert.deepEqual(copy.list(), rig.list());
      assert.equal(copy.machine.revision, rig.machine.revision + RAISE);
      assert.equal(copy.machine.compactRevision, copy.machine.revision);
    }),
    runs,
  );
});

test('[BACKUP-5] a revision that cannot be counted on from is refused', () => {
  const rig = new Rig();
  rig.put('a', '1');
  assert.throws(() => seedOf(rig, Number.MAX_SAFE_INTEGER), /raised by 9007199254740991 is above/);
});
