/** Backups as a client is sent them: a consistent cut, flow control, and what ends one early. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Response } from '../../src/protocol/index.ts';
import { RegistryStateMachine } from '../../src/registry/index.ts';
import { put } from './support/registry.ts';
import { delivered, TestService, type TestChannel } from './support/service.ts';

const WINDOW_BYTES = 100_000;
const VALUE = new Uint8Array(10_000).fill(7);

function serviceWith(keys: number, limits = {}): TestService {
  const service = new TestService({ service: { watchWindowBytes: WINDOW_BYTES, ...limits } });
  for (let i = 0; i < keys; i++) service.node.apply(put(`key/${i}`, VALUE));
  service.node.turn();
  return service;
}

async function settle(service: TestService): Promise<void> {
  service.node.turn();
  service.schedule.drain();
  await delivered();
}

/** Asks for a backup under this id. */
async function begin(service: TestService, channel: TestChannel, id: number): Promise<void> {
  channel.send({ type: 'backup', id, timeoutMs: 0, consistency: 'linearizable' });
  await settle(service);
}

/** Counts the cuts that are still held. */
function countCuts(service: TestService): () => number {
  const { registry } = service.node;
  const cut = registry.snapshotChunks.bind(registry);
  let held = 0;
  registry.snapshotChunks = () => {
    const chunks = cut();
    const leave = chunks.return!.bind(chunks);
    let open = true;
    held++;
    chunks.return = (value) => {
      if (open) held--;
      open = false;
      return leave(value);
    };
    return chunks;
  };
  return () => held;
}

function chunksOf(responses: readonly Response[]): Uint8Array[] {
  return responses.flatMap((one) => (one.type === 'backupChunk' ? [one.payload] : []));
}

function bytesOf(responses: readonly Response[]): number {
  return chunksOf(responses).reduce((sum, chunk) => sum + chunk.length, 0);
}

/** Grants credit until the final response came. */
async function readAll(service: TestService, channel: TestChannel, id: number): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    if (['ok', 'error'].includes(channel.of(id).at(-1)?.type ?? '')) return;
    channel.send({ type: 'watchCredit', id, bytes: WINDOW_BYTES });
    await settle(service);
  }
  assert.fail('the backup did not end');
}

test('[BACKUP-1] a backup is the state at its start, whatever is written meanwhile', async () => {
  const service = serviceWith(200);
  const expected = [...service.node.registry.snapshotChunks()];
  const channel = service.open();
  await begin(service, channel, 1);
  for (let i = 0; i < 300; i++) service.node.apply(put(`key/${i}`, 'later'));
  await readAll(service, channel, 1);
  const responses = channel.of(1);
  assert.deepEqual(service.node.barriers, ['linearizable']);
  assert.deepEqual(responses[0], {
    type: 'backupStarted',
    id: 1,
    origin: {
      clusterName: 'test-cluster',
      clusterId: 'cluster',
      node: 'a',
      revision: 200,
      index: 200,
      time: 2_000,
    },
  });
  assert.equal(responses.at(-1)?.type, 'ok');
  assert.deepEqual(Buffer.concat(chunksOf(responses)), Buffer.concat(expected));
  const restored = new RegistryStateMachine();
  const restorer = restored.restorer();
  for (const chunk of chunksOf(responses)) restorer.push(chunk);
  restorer.finish();
  assert.equal(restored.revision, 200);
});

test('[BACKUP-2] no more is sent than credit allows, and one chunk a turn', async () => {
  const service = serviceWith(400);
  const channel = service.open();
  await begin(service, channel, 1);
  await settle(service);
  const sent = bytesOf(channel.of(1));
  assert.ok(sent > 0 && sent < WINDOW_BYTES + 300_000, `${sent} bytes without any credit`);
  await settle(service);
  assert.equal(bytesOf(channel.of(1)), sent);
  channel.send({ type: 'watchCredit', id: 1, bytes: 2 ** 40 });
  await settle(service);
  const more = bytesOf(channel.of(1)) - sent;
  assert.ok(more > 0 && more < WINDOW_BYTES + 300_000, `${more} bytes for more than the window`);
});

test('[BACKUP-3] a client that goes, cancels or is told no longer holds history', async () => {
  const service = serviceWith(400, { maxBackups: 1 });
  const { node } = service;
  const held = countCuts(service);
  const channel = service.open();
  await begin(service, channel, 1);
  await begin(service, channel, 2);
  const [refused] = channel.of(2);
  assert.ok(refused?.type === 'error' && refused.code === 'overloaded');
  assert.match(refused.message, /maxBackups/);
  assert.equal(held(), 1);
  channel.send({ type: 'cancel', id: 1 });
  assert.equal(held(), 0);
  await begin(service, channel, 3);
  assert.equal(channel.of(1).at(-1)?.type, 'error');
  assert.equal(channel.of(3)[0]?.type, 'backupStarted');
  assert.equal(held(), 1);
  channel.channel.close();
  assert.equal(held(), 0);
  const other = service.open();
  await begin(service, other, 1);
  assert.equal(other.of(1)[0]?.type, 'backupStarted');
  await readAll(service, other, 1);
  assert.equal(other.of(1).at(-1)?.type, 'ok');
  assert.equal(held(), 0);
  assert.equal(node.registry.revision, 400);
});

test('[BACKUP-3] a reader that stalls or is overtaken by changes is given up', async () => {
  const service = serviceWith(400, { maxBackupGrowthBytes: 100_000, backupStallMs: 1_000 });
  const channel = service.open();
  await begin(service, channel, 1);
  const lookForStalls = (): void => {
    for (const timer of service.timers.splice(0)) timer();
  };
  lookForStalls();
  assert.equal(channel.of(1).at(-1)?.type, 'backupChunk', 'it has read something since');
  lookForStalls();
  await settle(service);
  const stalled = channel.of(1).at(-1);
  assert.ok(stalled?.type === 'error' && stalled.code === 'overrun');
  assert.match(stalled.message, /not read for 1000 ms \(backupStallMs\)/);
  await begin(service, channel, 2);
  for (let i = 0; i < 20; i++) service.node.apply(put(`key/${i}`, VALUE));
  await settle(service);
  const overtaken = channel.of(2).at(-1);
  assert.ok(overtaken?.type === 'error' && overtaken.code === 'overrun');
  assert.match(overtaken.message, /maxBackupGrowthBytes/);
});

test('[BACKUP-3] a node that stops tells who was reading', async () => {
  const service = serviceWith(400);
  const channel = service.open();
  await begin(service, channel, 1);
  service.service.close();
  await delivered();
  const last = channel.of(1).at(-1);
  assert.ok(last?.type === 'error' && last.code === 'stopped');
  assert.equal(last.outcome, 'not-applied');
});
