import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  connect,
  Holdfast,
  HoldfastError,
  MemoryLogStore,
  type RegistryNodeOptions,
  type StateMachine,
  type StateMachineNode,
} from '../../src/index.ts';
import { freeAddresses, SETTINGS } from './support/cluster.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Adds numbers up. */
class Sum implements StateMachine {
  #sum = 0;

  apply(command: Uint8Array): Uint8Array {
    this.#sum += Number(decoder.decode(command));
    return encoder.encode(String(this.#sum));
  }

  query(): Uint8Array {
    return encoder.encode(String(this.#sum));
  }

  async *snapshot(): AsyncGenerator<Uint8Array> {
    yield encoder.encode(String(this.#sum));
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let text = '';
    for await (const chunk of chunks) text += decoder.decode(chunk);
    this.#sum = Number(text);
  }
}

async function startFails(options: object): Promise<HoldfastError> {
  try {
    await Holdfast.start(options as RegistryNodeOptions);
  } catch (error) {
    assert.ok(error instanceof HoldfastError, String(error));
    return error;
  }
  throw new Error('it started');
}

test('[API-57] a state machine of your own takes the place of the registry', async () => {
  const addresses = await freeAddresses(3);
  const ids = ['a', 'b', 'c'];
  const peers = Object.fromEntries(ids.map((id, i) => [id, addresses[i] ?? '']));
  const nodes: StateMachineNode[] = await Promise.all(
    ids.map((id) =>
      Holdfast.start({
        id,
        listen: peers[id] ?? '',
        peers,
        store: new MemoryLogStore(),
        settings: SETTINGS,
        stateMachine: new Sum(),
      }),
    ),
  );
  const [first, second] = nodes;
  assert.ok(first !== undefined && second !== undefined);
  await first.waitForLeader({ timeout: '10s' });
  assert.equal(decoder.decode(await first.propose(encoder.encode('2'))), '2');
  assert.equal(decoder.decode(await second.propose(encoder.encode('40'))), '42');
  assert.equal(decoder.decode(await first.query(new Uint8Array(0))), '42');
  assert.equal(first.registry, undefined);
  assert.equal(first.status().id, 'a');
  await Promise.all(nodes.map((node) => node.stop()));
  assert.equal(await first.stopped, undefined);
  const stopped = await first.propose(encoder.encode('1')).catch((error: unknown) => error);
  assert.ok(stopped instanceof HoldfastError && stopped.code === 'stopped');
});

test('[API-62] a client is refused at once by a node with another state machine', async () => {
  await using node = await Holdfast.start({
    id: 'a',
    listen: '127.0.0.1:0',
    store: new MemoryLogStore(),
    settings: SETTINGS,
    stateMachine: new Sum(),
  });
  const error: unknown = await connect({
    endpoints: [node.address],
    requestTimeout: '1h',
  }).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HoldfastError);
  assert.equal(error.code, 'invalid-argument');
  assert.match(error.message, /serves no clients: it runs a state machine of its own/);
});

test('[API-58] a node alone is a cluster, on any free port', async () => {
  await using node = await Holdfast.start({
    id: 'solo',
    listen: '127.0.0.1:0',
    store: new MemoryLogStore(),
    settings: SETTINGS,
    registry: { defaultTtl: '1h' },
  });
  assert.match(node.address, /^127\.0\.0\.1:[1-9]\d*$/);
  const record = await node.registry.put('k', 'v', { timeout: '10s' });
  assert.equal(record.node, 'solo');
  assert.equal(Math.round((record.expiresAt ?? 0) - record.time), 3_600_000);
  assert.equal(await node.waitForLeader(), 'solo');
});

test('[API-59] options that break a rule are refused with the rule', async () => {
  const store = new MemoryLogStore();
  const good = { id: 'a', listen: '127.0.0.1:7999', store };
  const wrong: [options: object, rule: RegExp][] = [
    [{ ...good, id: 'a b' }, /id: a node id is made of letters/],
    [{ ...good, listen: 'localhost' }, /listen: an address is host:port/],
    [{ ...good, store: {} }, /store/],
    [{ ...good, peers: { b: '127.0.0.1:8000' } }, /a is not in b/],
    [
      { ...good, peers: { a: '127.0.0.1:7999', b: '127.0.0.1:7999' } },
      /peers gives 127.0.0.1:7999 to both a and b/,
    ],
    [{ ...good, registry: { defaultTtl: 'soon' } }, /defaultTtl is 'soon': a duration is/],
    [{ ...good, registry: { maxInFlight: 0 } }, /maxInFlight is at least 1/],
    [{ ...good, registry: { sesionTtl: 1 } }, /sesionTtl/],
    [{ ...good, stateMachine: {} }, /stateMachine: apply/],
    [{ ...good, registry: {}, stateMachine: new Sum() }, /registry or a state machine .* not both/],
    [{ ...good, settings: { heartbeatMs: 1 } }, /heartbeatMs/],
    [{ ...good, tls: { key: 'k', cert: 'c' } }, /tls.cert is not a PEM text/],
  ];
  for (const [options, rule] of wrong) {
    const error = await startFails(options);
    assert.equal(error.code, 'invalid-argument', error.message);
    assert.match(error.message, rule);
  }
});

test('[API-60] a port that is taken is told, and leaves nothing running', async () => {
  const options = { store: new MemoryLogStore(), settings: SETTINGS };
  await using node = await Holdfast.start({ id: 'a', listen: '127.0.0.1:0', ...options });
  const taken = { id: 'a', listen: node.address, settings: SETTINGS };
  const registry = await startFails({ ...taken, store: new MemoryLogStore() });
  assert.equal(registry.code, 'address-in-use');
  const own = { ...taken, store: new MemoryLogStore(), stateMachine: new Sum() };
  assert.equal((await startFails(own)).code, 'address-in-use');
});

test('[API-61] a start that waits for its peers ends with its signal', async () => {
  const [listen, away] = await freeAddresses(2);
  const controller = new AbortController();
  const starting = startFails({
    id: 'a',
    listen,
    peers: { a: listen, b: away },
    store: new MemoryLogStore(),
    settings: SETTINGS,
    signal: controller.signal,
  });
  setImmediate(() => controller.abort());
  assert.equal((await starting).code, 'aborted');
});
