/** The service over real nodes: three in one process, and what can go wrong at the start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryLogStore } from '../../src/log-store/index.ts';
import {
  UNFILTERED,
  decodeAnswer,
  decodeEvents,
  decodeResult,
  encodeQuery,
  type Response,
} from '../../src/protocol/index.ts';
import { startServer, type RunningServer } from '../../src/server/index.ts';
import { Asker, occupyPort, TestCluster } from './support/cluster.ts';
import { until } from './support/network.ts';
import { put } from './support/registry.ts';

const PATIENCE = { timeoutMs: 10_000 };
const WATCH_ALL = {
  type: 'watch',
  start: '',
  end: undefined,
  from: 0,
  filter: UNFILTERED,
} as const;

async function write(asker: Asker, key: string, value: string): Promise<number> {
  const response = await asker.ask({ type: 'propose', ...PATIENCE, command: put(key, value) });
  assert.equal(response.type, 'ok', JSON.stringify(response));
  const result = decodeResult(response.payload);
  assert.equal(result.type, 'key');
  return result.revision;
}

async function read(asker: Asker, key: string): Promise<string | undefined> {
  const query = encodeQuery({ type: 'get', key });
  const consistency = 'linearizable';
  const response = await asker.ask({ type: 'query', ...PATIENCE, consistency, query });
  assert.equal(response.type, 'ok', JSON.stringify(response));
  const answer = decodeAnswer(response.payload);
  assert.equal(answer.type, 'get');
  const value = answer.view.record?.value;
  return value === undefined ? undefined : Buffer.from(value).toString();
}

function revisionsOf(responses: readonly Response[]): number[] {
  return responses.flatMap((response) =>
    response.type === 'watchEvents'
      ? decodeEvents(response.payload).map((one): number => one.revision)
      : [],
  );
}

function followersOf(cluster: TestCluster, leader: RunningServer): RunningServer[] {
  return [...cluster.servers.values()].filter((server) => server !== leader);
}

test('[SRV-40] any node takes writes, reads and watches, and says who leads', async () => {
  await using cluster = await TestCluster.start();
  const leader = await cluster.leader();
  const [first, second] = followersOf(cluster, leader);
  const writer = new Asker(first!);
  const reader = new Asker(second!);
  const watch = reader.send(WATCH_ALL);
  await until(() => reader.of(watch).length === 1, 'the watch starts');
  const revision = await write(writer, 'a', 'by a follower');
  assert.equal(await read(reader, 'a'), 'by a follower');
  await until(() => revisionsOf(reader.of(watch)).includes(revision), 'the watch sees it');
  const notices = writer.responses.filter((response) => response.type === 'leader');
  assert.equal(notices.at(-1)?.address, leader.address);

  const status = await reader.ask({ type: 'status' });
  assert.equal(status.type, 'status');
  assert.equal(status.status.revision, revision);
  assert.equal(status.status.leaderAddress, leader.address);
  assert.equal(status.status.members.length, 3);
});

test('[SRV-41] when the leader stops, others serve on and their watches miss nothing', async () => {
  await using cluster = await TestCluster.start();
  const leader = await cluster.leader();
  const survivor = followersOf(cluster, leader)[0]!;
  const asker = new Asker(survivor);
  const atLeader = new Asker(leader);
  const watch = asker.send(WATCH_ALL);
  const ending = atLeader.send(WATCH_ALL);
  await until(() => asker.of(watch).length > 0 && atLeader.of(ending).length > 0, 'both start');
  const roles: string[] = [];
  const watching = leader.service.openChannel({
    response: ({ type }) => void (type === 'watchEnded' && roles.push(leader.node.status().role)),
    closed: () => undefined,
  });
  watching.send({ ...WATCH_ALL, id: 1, from: 1 });
  await write(asker, 'a', '1');
  await cluster.stop(leader.node.id);
  const ended = atLeader.of(ending).at(-1);
  assert.equal(ended?.type, 'watchEnded');
  assert.match(ended.message, /resume the watch at another/);
  assert.equal(roles.length, 1);
  assert.notEqual(roles[0], 'stopped', 'watches end while the node still hands over');
  await until(() => atLeader.closedFor !== undefined, 'its channels are closed');
  const next = await cluster.leader();
  assert.notEqual(next.node.id, leader.node.id);
  const last = await write(asker, 'a', '2');
  await until(() => revisionsOf(asker.of(watch)).includes(last), 'the watch goes on');
  assert.deepEqual(revisionsOf(asker.of(watch)), [1, 2]);
  assert.equal(await leader.stopped, undefined);

  await until(
    () => asker.responses.some((one) => one.type === 'leader' && one.address === next.address),
    'clients are told of the new leader',
  );
});

test('[SRV-42] transfers and membership changes can be asked of any node', async () => {
  await using cluster = await TestCluster.start();
  const leader = await cluster.leader();
  const [target, other] = followersOf(cluster, leader);
  const asker = new Asker(other!);
  const to = target!.node.id;
  const moved = await asker.ask({ type: 'transfer', ...PATIENCE, to });
  assert.equal(moved.type, 'ok', JSON.stringify(moved));
  await until(() => other!.node.status().leader === to, 'the target leads');
  const change = { type: 'add', id: 'd', address: '127.0.0.1:1', promote: false } as const;
  const added = await asker.ask({ type: 'member', ...PATIENCE, change });
  assert.equal(added.type, 'ok', JSON.stringify(added));
  const status = await asker.ask({ type: 'status' });
  assert.equal(status.type, 'status');
  assert.ok(status.status.members.some(({ id, role }) => id === 'd' && role === 'learner'));
});

test('[WATCH-65] a node that restores a snapshot serves watches out of its history', async () => {
  const settings = { snapshotEveryEntries: 50, trailingEntries: 5 };
  await using cluster = await TestCluster.start({ settings });
  const leader = await cluster.leader();
  const lagging = followersOf(cluster, leader)[0]!.node.id;
  const writer = new Asker(leader);
  for (let i = 0; i < 20; i++) await write(writer, 'a', String(i));
  await cluster.stop(lagging);
  for (let i = 20; i < 400; i++) await write(writer, 'a', String(i));
  await until(() => leader.node.status().firstIndex > 100, 'the log is compacted');
  const restarted = await cluster.run(lagging);
  const asker = new Asker(restarted);
  const watch = asker.send({ ...WATCH_ALL, from: 1 });
  const { node } = restarted;
  await until(() => node.status().snapshotIndex > 100, 'it restores a snapshot');
  const last = await write(asker, 'a', 'last');
  await until(() => revisionsOf(asker.of(watch)).includes(last), 'the watch gets there');
  assert.deepEqual(
    revisionsOf(asker.of(watch)),
    Array.from({ length: last }, (_, i) => i + 1),
  );
});

test('[SRV-43] a node on any free port serves, and stopped, lets go of everything', async () => {
  const listen = '127.0.0.1:0';
  const store = new MemoryLogStore();
  const server = await startServer({ id: 'a', listen, peers: { a: listen }, store });
  assert.doesNotMatch(server.address, /:0$/);
  const asker = new Asker(server);
  await write(asker, 'a', 'x');
  await server.stop();
  assert.equal(await server.stopped, undefined);
  await server.stop();
  const again = { id: 'b', listen: server.address, peers: { b: server.address } };
  const other = await startServer({ ...again, store: new MemoryLogStore() });
  await other.stop();
});

test('[SRV-44] a port that is taken is said to be', async () => {
  const { port, server } = await occupyPort();
  const listen = `127.0.0.1:${port}`;
  const store = new MemoryLogStore();
  await assert.rejects(startServer({ id: 'a', listen, peers: { a: listen }, store }), {
    code: 'address-in-use',
  });
  server.close();
});

test('[SRV-45] a store that cannot be opened is reported by what is wrong with it', async () => {
  const listen = '127.0.0.1:0';
  const cases = [
    ['EACCES', 'data-directory'],
    ['ENOSPC', 'disk-full'],
    ['EWHATEVER', 'internal'],
  ] as const;
  for (const [errno, code] of cases) {
    const store = new MemoryLogStore();
    store.open = () => Promise.reject(Object.assign(new Error(`${errno}: open`), { code: errno }));
    await assert.rejects(startServer({ id: 'a', listen, peers: { a: listen }, store }), { code });
  }
});

test('[SRV-46] waiting for founding peers can be aborted', async () => {
  const controller = new AbortController();
  const lines: string[] = [];
  const starting = startServer({
    id: 'a',
    listen: '127.0.0.1:0',
    peers: { a: '127.0.0.1:0', b: '127.0.0.1:1' },
    store: new MemoryLogStore(),
    signal: controller.signal,
    log: (_level, line) => lines.push(line),
  });
  await until(() => lines.some((line) => line.includes('waiting for b')), 'it waits');
  controller.abort();
  await assert.rejects(starting, { code: 'aborted' });
  await assert.rejects(
    startServer({
      id: 'a',
      listen: '127.0.0.1:0',
      peers: {},
      store: new MemoryLogStore(),
      signal: controller.signal,
    }),
    { code: 'aborted' },
  );
});

const GOOD = { id: 'a', listen: '127.0.0.1:7400', peers: {} };
const BAD_OPTIONS: readonly (readonly [what: string, options: object, rule: RegExp])[] = [
  ['an empty id', { id: '' }, /^id: a node id is made of/],
  ['an address without a port', { listen: 'localhost' }, /^listen: an address is host:port/],
  ['a peer list without this node', { peers: { b: 'h:1' } }, /a is not in b/],
  ['two peers in one place', { peers: { a: 'h:1', b: 'h:1' } }, /h:1 to both a and b/],
  ['peers and advertise at odds', { peers: { a: 'h:1' }, advertise: 'g:1' }, /advertise is g:1/],
  ['an address for all interfaces', { listen: '0.0.0.0:7400' }, /nobody can reach 0.0.0.0:7400/],
  ['an unknown setting', { settings: { tick: 5 } }, /settings: .*tick/],
  ['a setting of 0', { settings: { tickMs: 0 } }, /settings.tickMs: tickMs is a number above 0/],
  ['rare heartbeats', { settings: { heartbeatMs: 300 } }, /at least twice heartbeatMs \(300\)/],
  ['values larger than commands', { limits: { maxValueBytes: 1e9 } }, /does not hold a value/],
  ['a limit of 0', { limits: { maxKeyBytes: 0 } }, /limits.maxKeyBytes must be/],
  ['an empty cluster name', { clusterName: '' }, /a cluster name is not empty/],
  ['no store', { store: 'sqlite' }, /a store is a LogStore/],
  ['TLS without a certificate', { tls: { key: 'k' } }, /tls.cert/],
];

for (const [what, options, rule] of BAD_OPTIONS) {
  test(`[SRV-47] ${what} is refused with the rule`, async () => {
    await assert.rejects(startServer({ store: new MemoryLogStore(), ...GOOD, ...options }), {
      code: 'invalid-argument',
      message: rule,
    });
  });
}
