/** Options by a name that there is not, from programs that no compiler looks at. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LevelLogStore } from '../../adapters/level/index.ts';
import { SqliteLogStore } from '../../adapters/sqlite/index.ts';
import {
  connect,
  Holdfast,
  MemoryLogStore,
  op,
  restoreBackup,
  saveBackup,
  statusOf,
  type HoldfastClient,
  type HoldfastNode,
  type RawMap,
  type Table,
} from '../../src/index.ts';
import { testLogStore } from '../../src/log-store/conformance/index.ts';
import { failure } from './support/failure.ts';

const LISTEN = '127.0.0.1:0';

let node: HoldfastNode;
let client: HoldfastClient;
let table: Table;
let map: RawMap;

before(async () => {
  node = await Holdfast.start({ id: 'a', listen: LISTEN, store: new MemoryLogStore() });
  client = await connect({ endpoints: [node.address] });
  table = await node.registry.table('t');
  map = node.registry.rawMap('m');
});

after(async () => {
  await client.close();
  await node.stop();
});

/** What is called, the name that is wrong, the one that is meant, and the call. */
type Case = readonly [
  what: string,
  wrong: string,
  meant: string,
  call: (options: never) => unknown,
];

/** What is begun only when somebody asks for its first item. */
function first(items: AsyncIterable<unknown>): Promise<unknown> {
  return items[Symbol.asyncIterator]().next();
}

const own = { id: 'a', listen: LISTEN };
/** Of a client or a node, as many as there are ways to look at options. */
const cases: readonly Case[] = [
  ['Holdfast.start', 'storre', 'store', (o) => Holdfast.start(o)],
  ['Holdfast.start', 'state_machine', 'stateMachine', (o) => Holdfast.start(o)],
  ['SqliteLogStore', 'synchronus', 'synchronous', (o) => new SqliteLogStore(o)],
  ['LevelLogStore', 'pth', 'path', (o) => new LevelLogStore(o)],
  ['testLogStore', 'modul', 'module', (o) => testLogStore(o)],
  ['connect options', 'endpoint', 'endpoints', (o) => connect(o)],
  ['connect options', 'requestTimeoutMs', 'requestTimeout', (o) => statusOf(o)],
  ['restoreBackup', 'bumpRevison', 'bumpRevision', (o) => restoreBackup(o)],
  ['saveBackup', 'onprogress', 'onProgress', (o) => saveBackup(node.backup(), 'absent/x', o)],
  ['options', 'consistancy', 'consistency', (o) => first(node.backup(o))],
  ['options', 'timeuot', 'timeout', (o) => first(client.backup(o))],
  ['options', 'timeoutMs', 'timeout', (o) => node.transfer('a', o)],
  ['options', 'timout', 'timeout', (o) => client.members(o)],
  ['verify', 'maxDiferences', 'maxDifferences', (o) => client.verify(o)],
  ['get', 'revison', 'revision', (o) => node.registry.get('k', o)],
  ['put', 'tll', 'ttl', (o) => node.registry.put('k', 'v', o)],
  ['put', 'ttlMs', 'ttl', (o) => client.registry.put('k', 'v', o)],
  ['options', 'sesion', 'session', (o) => node.registry.delete('k', o)],
  ['list', 'keyOnly', 'keysOnly', (o) => node.registry.list(o)],
  ['list', 'limt', 'limit', (o) => first(node.registry.records(o))],
  ['count', 'prefx', 'prefix', (o) => node.registry.count(o)],
  ['options', 'presist', 'persist', (o) => node.registry.putIfAbsent('k', 'v', o)],
  ['op.put', 'ephemerl', 'ephemeral', (o) => op.put('k', 'v', o)],
  ['options', 'signl', 'signal', (o) => node.registry.txn().then(op.get('k')).commit(o)],
  ['lock', 'wiat', 'wait', (o) => node.registry.lock('l', o)],
  ['lock', 'waitMs', 'wait', (o) => node.registry.lock('l', o)],
  ['withLock', 'TTL', 'ttl', (o) => node.registry.withLock('l', o, async () => {})],
  ['locks', 'prefixes', 'prefix', (o) => node.registry.locks(o)],
  ['session', 'trapExit', 'trapExits', (o) => node.registry.openSession(o)],
  ['watch', 'form', 'from', (o) => node.registry.watch(o)],
  ['watch', 'event', 'events', (o) => node.registry.as({} as never).watch(o)],
  ['campaign', 'metdata', 'metadata', (o) => node.registry.election('e').campaign('v', o)],
  ['observe', 'sginal', 'signal', (o) => first(node.registry.election('e').observe(o))],
  ['table', 'creat', 'create', (o) => node.registry.table('t', o)],
  ['store', 'conect', 'connect', (o) => table.store('k', 'v', o)],
  ['connect', 'tpye', 'type', (o) => table.store('k', 'v', { connect: o })],
  ['entries', 'perfix', 'prefix', (o) => first(table.entries(o))],
  ['notices', 'sesssion', 'session', (o) => node.registry.notices(o)],
  ['map', 'persits', 'persist', (o) => node.registry.map('m', o)],
  ['subscribe', 'intial', 'initial', (o) => map.subscribe(o)],
  ['options', 'nodes', 'node', (o) => node.registry.hashTree.reset(o)],
];

/** A call that is not refused may wait for ever. */
const LIMIT = { timeout: 10_000 };

for (const [what, wrong, meant, call] of cases) {
  test(
    `[API-97] ${what} refuses '${wrong}', and says that '${meant}' was meant`,
    LIMIT,
    async () => {
      const options = { [wrong]: 1 } as never;
      await assert.rejects(
        async () => call(options),
        ({ code, message }: { readonly code?: string; readonly message: string }) => {
          assert.equal(code, 'invalid-argument');
          const rule = `there is no option '${wrong}' (did you mean '${meant}'?)`;
          assert.ok(message.startsWith(`${what}: `) && message.includes(rule), message);
          return true;
        },
      );
    },
  );
}

test('[API-97] options within options are looked at, too', async () => {
  const store = new MemoryLogStore();
  const wrong: readonly (readonly [RegExp, object])[] = [
    [
      /settings: there is no option 'tickMS' \(did you mean 'tickMs'\?\)/,
      { settings: { tickMS: 9 } },
    ],
    [/limits: there is no option 'maxKeyByte' \(.*'maxKeyBytes'/, { limits: { maxKeyByte: 9 } }],
    [/serviceLimits: there is no option 'zzz'; there are max/, { serviceLimits: { zzz: 9 } }],
    [/tls: there is no option 'cret' \(.*'cert'/, { tls: { key: '', cert: '', cret: '' } }],
    [/registry options: there is no option 'sessionTTLs'/, { registry: { sessionTTLs: 9 } }],
  ];
  for (const [pattern, options] of wrong) {
    await assert.rejects(Holdfast.start({ ...own, store, ...options }), pattern);
  }
});

test('[API-97] a name like no other is answered with all there are, when they are few', () => {
  const rule = "LevelLogStore: there is no option 'zzz'; there are path";
  assert.throws(() => new LevelLogStore({ zzz: 1 } as never), { message: rule });
});

test('[API-97] options that are no object are refused', async () => {
  assert.throws(() => new SqliteLogStore('data/a.db' as never), /takes an object of options/);
  await assert.rejects(node.registry.put('k', 'v', '10m' as never), /takes an object of options/);
  await assert.rejects(connect(undefined as never), /an object of options is expected/);
});

test('[API-127] what is no signal is refused, and the next call is none the worse', async () => {
  const signal = new AbortController() as unknown as AbortSignal;
  await client.registry.put('key', 'before');
  const { registry } = client;
  const calls: readonly (() => unknown)[] = [
    () => registry.put('key', 'value', { signal }),
    () => registry.get('key', { signal }),
    () => registry.lock('name', { signal }),
    () => registry.list({ signal }),
    () => first(registry.watch({ signal })),
  ];
  for (const call of calls) {
    const error = await failure((async () => call())());
    assert.equal(error.code, 'invalid-argument');
    assert.match(error.message, /signal takes an AbortSignal/);
  }
  await client.registry.put('key', 'after');
});
