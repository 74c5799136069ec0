/** Three nodes of which some keep other bytes than they were given: once restarted, they differ. */
import {
  Holdfast,
  MemoryLogStore,
  type HoldfastNode,
  type RegistryNodeOptions,
  type WriteBatch,
} from '../../../src/index.ts';
import { freeAddresses, SETTINGS, until } from './cluster.ts';

/** What is found in a command, and what is kept in its place, as long. */
export type Tampering = Readonly<Record<string, string>>;

/** Its checksums are right, its log is whole, and yet it is not what the others have. */
class TamperingStore extends MemoryLogStore {
  readonly #tampering: Tampering;

  constructor(tampering: Tampering) {
    super();
    this.#tampering = tampering;
  }

  override write(batch: WriteBatch): Promise<void> {
    const entries = batch.entries?.map((entry) => {
      return { ...entry, data: this.#tamper(entry.data), recorded: undefined };
    });
    return super.write({ ...batch, entries });
  }

  #tamper(data: Uint8Array): Uint8Array {
    let text = Buffer.from(data).toString('latin1');
    for (const [from, to] of Object.entries(this.#tampering)) text = text.replaceAll(from, to);
    return Uint8Array.from(Buffer.from(text, 'latin1'));
  }
}

export interface DivergingCluster extends AsyncDisposable {
  readonly endpoints: readonly string[];
  readonly node: (id: string) => HoldfastNode;
  readonly ids: readonly string[];
  /** Replays what its store kept. */
  readonly restart: (id: string) => Promise<HoldfastNode>;
  /** Waits until this one leads. */
  readonly lead: (id: string) => Promise<void>;
}

export async function divergingCluster(
  tampering: Readonly<Record<string, Tampering>> = {},
): Promise<DivergingCluster> {
  const ids = ['a', 'b', 'c'];
  const endpoints = await freeAddresses(ids.length);
  const peers = Object.fromEntries(ids.map((id, i) => [id, endpoints[i] ?? '']));
  const options = new Map<string, RegistryNodeOptions>();
  for (const id of ids) {
    const store = new TamperingStore(tampering[id] ?? {});
    options.set(id, { id, listen: peers[id] ?? '', peers, store, settings: SETTINGS });
  }
  const nodes = new Map<string, HoldfastNode>();
  const start = async (id: string): Promise<HoldfastNode> => {
    const given = options.get(id);
    if (given === undefined) throw new Error(`no node ${id}`);
    const started = await Holdfast.start(given);
    nodes.set(id, started);
    return started;
  };
  await Promise.all(ids.map(start));
  const node = (id: string): HoldfastNode => {
    const found = nodes.get(id);
    if (found === undefined) throw new Error(`no node ${id}`);
    return found;
  };
  await node('a').waitForLeader({ timeout: '20s' });
  return {
    endpoints,
    ids,
    node,
    restart: async (id) => {
      await node(id).stop();
      return await start(id);
    },
    lead: async (id) => {
      await until(`${id} leads`, async () => {
        if (node(id).status().role === 'leader') return true;
        await node(id)
          .transfer(id)
          .catch(() => undefined);
        return false;
      });
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...nodes.values()].map((one) => one.stop()));
    },
  };
}
