/** Tables through the client: what is sent, what comes back, what is refused here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  Connection,
  ConnectionRef,
  EdgeType,
  RegistryRecord,
  Table,
} from '../../src/client/index.ts';
import { failure, harness, type Harness } from './support/harness.ts';

async function openTable({ time, registry }: Harness, name = 'jobs'): Promise<Table> {
  return await time.until(registry.table(name));
}

test('[TABLE-50] entries are put where none is, found, listed in order, and erased', async () => {
  const harnessed = harness();
  const { time } = harnessed;
  const table = await openTable(harnessed);
  const odd = Uint8Array.of(0x62, 0xff, 0x00, 0x2f);
  for (const key of ['c', odd, 'a', 'ab']) await time.until(table.store(key, 'first'));
  const again = await time.until(table.store('a', 'other'));
  assert.ok(!again.stored);
  assert.equal(again.current.text(), 'first');
  const found = await time.until(table.find(odd));
  assert.deepEqual([found?.keyBytes, found?.version], [odd, 1]);
  const all = await time.until(table.toList());
  assert.deepEqual(
    all.map(({ key }) => key),
    ['a', 'ab', 'b\ufffd\0/', 'c'],
  );
  const some = await time.until(table.toList({ prefix: 'a' }));
  assert.deepEqual(
    some.map(({ key }) => key),
    ['a', 'ab'],
  );
  await time.until(table.erase('a'));
  await time.until(table.erase('a'));
  assert.equal(await time.until(table.find('a')), undefined);
});

test('[TABLE-51] entries come page after page, as of one revision', async () => {
  const harnessed = harness();
  const { time } = harnessed;
  const table = await openTable(harnessed);
  const value = new Uint8Array(400_000);
  for (let i = 0; i < 6; i++) await time.until(table.store(`k${i}`, value));
  const entries = table.entries()[Symbol.asyncIterator]();
  const seen: RegistryRecord[] = [];
  for (;;) {
    const next = await time.until(entries.next());
    if (next.done === true) break;
    seen.push(next.value);
    // Behind what is being read, and not there when that began.
    if (seen.length === 1) await time.until(table.erase('k5'));
    if (seen.length === 2) await time.until(table.store('k9', 'late'));
  }
  assert.deepEqual(
    seen.map(({ key }) => key),
    ['k0', 'k1', 'k2', 'k3', 'k4', 'k5'],
  );
});

test('[TABLE-52] what is asked of a table that is not open is refused, reads too', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const none = await time.until(failure(registry.table('jobs', { create: false })));
  assert.equal(none.code, 'no-such-table');
  const table = await openTable(harnessed);
  assert.equal(table.existed, false);
  assert.equal((await time.until(registry.table('jobs', { create: false }))).existed, true);
  await time.until(table.store('k', 'v'));
  await time.until(table.drop());
  for (const call of [
    () => table.find('k'),
    () => table.toList(),
    () => table.store('k', 'v'),
    () => table.erase('k'),
    () => table.connect('monitor', 'self', 'k'),
    () => table.disconnectAll('self', 'k'),
    () => table.drop(),
  ]) {
    const error = await time.until(failure(call()));
    assert.equal(error.code, 'no-such-table', String(call));
    assert.match(error.message, /jobs/);
  }
});

test('[TABLE-53] bad input is refused with the rule before anything is sent', async () => {
  const harnessed = harness();
  const { time, registry, cluster } = harnessed;
  const table = await openTable(harnessed);
  const applied = cluster.applied.length;
  for (const name of ['', 'a\0b', 'x'.repeat(256)]) {
    assert.equal((await failure(registry.table(name))).code, 'invalid-key');
  }
  assert.match(
    (await failure(registry.table('a\0b'))).message,
    /1 to 255 bytes, none of them zero/,
  );
  assert.equal((await failure(table.store('', 'v'))).code, 'invalid-key');
  const type = 'friend' as EdgeType;
  for (const call of [
    () => table.connect(type, 'self', 'k'),
    () => table.store('k', 'v', { connect: { type, peer: 1 } }),
    () => table.connect('link', -1, 'k'),
    () => table.disconnect({ id: 1.5, peer: 1, key: 'k' }),
  ]) {
    assert.equal((await time.until(failure(call()))).code, 'invalid-argument', String(call));
  }
  const other = await openTable(harnessed, 'other');
  const connection = await time.until(other.connect('monitor', 'self', 'k'));
  const error = await failure(table.disconnect(connection));
  assert.match(error.message, /of table 'other', not 'jobs'/);
  assert.throws(() => table.flush(connection), /of table 'other', not 'jobs'/);
  const misread: ConnectionRef = JSON.parse('{ "id": 1, "peer": "self", "key": "k" }');
  assert.throws(() => table.flush(misread), /the connection's peer is self/);
  assert.equal(cluster.applied.length, applied + 2, 'other was opened, and connected');
});

test('[TABLE-54] a store whose answer is lost is sent again, and told as stored', async () => {
  const harnessed = harness();
  const { time, cluster } = harnessed;
  const table = await openTable(harnessed);
  let cut = false;
  cluster.fateOf = (request) => {
    if (request.type !== 'propose' || cut) return { type: 'served' };
    cut = true;
    return { type: 'cutAfter' };
  };
  const outcome = await time.until(
    table.storeConnect('link', 'self', 'k', 'v', { timeout: '30s' }),
  );
  assert.equal(cluster.count('tableStore'), 2);
  assert.ok(outcome.stored);
  assert.equal(outcome.connection?.type, 'link');
});

test('[TABLE-55] calls act for the session named, else for that of the table', async () => {
  const { time, registry, cluster } = harness();
  const [one, two] = [
    await time.until(registry.openSession()),
    await time.until(registry.openSession({ trapExits: true })),
  ];
  const table = await time.until(registry.table('jobs', { session: one, link: true }));
  await time.until(table.store('k', 'v'));
  const own = await time.until(table.connect('monitor', 'self', 'k'));
  const other = await time.until(table.connect('monitor', 'self', 'k', { session: two }));
  assert.deepEqual([own.peer, other.peer], [one.id, two.id]);
  await time.until(table.erase('k', { session: two }));
  assert.deepEqual(
    cluster.applied.slice(-5).map(({ header }) => header.session),
    [one.id, one.id, one.id, two.id, two.id],
  );
  await time.until(one.close());
  assert.equal((await time.until(failure(table.find('k')))).code, 'no-such-table');
});

test('[TABLE-56] a connection names its edge as JSON too, and by a key of bytes', async () => {
  const harnessed = harness();
  const { time } = harnessed;
  const table = await openTable(harnessed);
  const key = Uint8Array.of(0xff, 0xfe);
  await time.until(table.store(key, 'v'));
  const connection = await time.until(table.connect('monitor', 'self', key));
  await time.until(table.disconnect(connection));
  assert.deepEqual(await time.until(table.disconnectAll('self', key)), []);
  await time.until(table.store('k', 'v'));
  const text = JSON.stringify(await time.until(table.connect('monitor', 'self', 'k')));
  const { id, peer, key: name }: Connection = JSON.parse(text);
  await time.until(table.disconnect({ id, peer, key: name }));
  assert.deepEqual(await time.until(table.disconnectAll('self', 'k')), []);
});

test('[TABLE-58] a write outlives an idle own session, not one relied on', async () => {
  const harnessed = harness();
  const { time, another } = harnessed;
  const other = another({ exactlyOnce: false });
  const closeAll = async (): Promise<void> => {
    for (const { id } of await other.sessions()) await other.closeSession(id);
  };
  const table = await openTable(harnessed);
  await time.until(closeAll());
  const { stored } = await time.until(table.store('k', 'v'));
  assert.ok(stored);
  await time.until(table.connect('monitor', 'self', 'k'));
  await time.until(closeAll());
  assert.equal((await time.until(failure(table.erase('k')))).code, 'session-expired');
  await time.until(table.erase('k'));
  assert.deepEqual(await time.until(table.toList()), []);
});
