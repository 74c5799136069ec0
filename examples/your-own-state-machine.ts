/**
 * Your own state machine on Holdfast's Raft, in place of the registry: a replicated counter for
 * each name.
 *
 *     npm run example your-own-state-machine
 */
import { Holdfast, MemoryLogStore, type StateMachine } from 'holdfast';

const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const decode = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString());

/** Deterministic: nothing but the commands decides the state. */
class Counters implements StateMachine {
  #counts = new Map<string, number>();

  apply(command: Uint8Array): Uint8Array {
    const { name, by }: { name: string; by: number } = decode(command);
    const count = (this.#counts.get(name) ?? 0) + by;
    this.#counts.set(name, count);
    return encode(count);
  }

  query(request: Uint8Array): Uint8Array {
    return encode(this.#counts.get(decode(request)) ?? 0);
  }

  /** The same state must give the same bytes on every replica: hence sorted. */
  async *snapshot(): AsyncIterable<Uint8Array> {
    yield encode([...this.#counts].toSorted(([left], [right]) => (left < right ? -1 : 1)));
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    this.#counts = new Map(decode(Buffer.concat(parts)));
  }
}

const port = Number(process.env['PORT'] ?? 7451);
const peers = {
  a: `127.0.0.1:${port}`,
  b: `127.0.0.1:${port + 1}`,
  c: `127.0.0.1:${port + 2}`,
};
const nodes = await Promise.all(
  Object.entries(peers).map(([id, listen]) =>
    Holdfast.start({
      id,
      listen,
      peers,
      store: new MemoryLogStore(),
      stateMachine: new Counters(),
    }),
  ),
);
const [first, second] = nodes;
if (first === undefined || second === undefined) throw new Error('no nodes');

await first.waitForLeader();
await first.propose(encode({ name: 'visits', by: 2 }));
const count = await second.propose(encode({ name: 'visits', by: 3 }));
console.log(`visits after both: ${decode(count)}`);

const read = await first.query(encode('visits'), { consistency: 'linearizable' });
console.log(`a linearizable read on the other node: ${decode(read)}`);

await Promise.all(nodes.map((node) => node.stop()));
