/** Three nodes in this process with the memory store, ready to be loaded. */
import { Holdfast, type HoldfastNode, type Registry } from '../../src/index.ts';
import { unreachable } from '../../src/base/index.ts';
import { MemoryLogStore } from '../../src/log-store/index.ts';
import {
  createNode,
  defaultSettings,
  systemEnvironment,
  type NodeId,
  type RaftNode,
  type StateMachine,
} from '../../src/node/index.ts';
import { encodeCommand, RegistryStateMachine, type SessionId } from '../../src/registry/index.ts';
import { MemoryNetwork, MemoryTransport } from '../../src/transport/index.ts';
import { freePorts } from '../../jepsen-lite/real/process-cluster.ts';
import { keyOf, KEYS } from '../load/load-spec.ts';
import type { InProcessKind } from './spec.ts';

/** Begins one operation of a client and says when it is done. */
export type Operate = (sequence: number, done: (failed: boolean) => void) => void;

export interface Nodes {
  readonly operate: Operate;
  readonly stop: () => Promise<void>;
}

const IDS = ['a', 'b', 'c'];
const VALUE = new Uint8Array(256).fill(97);

/** Counts commands and answers with nothing. */
class Counter implements StateMachine {
  readonly #answer: Uint8Array = new Uint8Array(0);
  #count = 0;

  apply(): Uint8Array {
    this.#count++;
    return this.#answer;
  }

  query(): Uint8Array {
    return Uint8Array.of(this.#count & 0xff);
  }

  async *snapshot(): AsyncIterable<Uint8Array> {
    yield Buffer.from(String(this.#count));
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    this.#count = Number(Buffer.concat(parts).toString());
  }
}

export async function startNodes(kind: InProcessKind): Promise<Nodes> {
  switch (kind) {
    case 'counter':
      return await bareNodes(
        () => new Counter(),
        () => new Uint8Array(8),
      );
    case 'registry':
      return await bareNodes(() => new RegistryStateMachine(), putOf);
    case 'embedded':
      return await embeddedNodes();
    default:
      return unreachable(kind);
  }
}

function putOf(sequence: number): Uint8Array {
  const nobody = { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: 'a' };
  const key = keyOf(sequence, KEYS);
  return encodeCommand(nobody, {
    type: 'put',
    key,
    value: VALUE,
    ttlMs: 0,
    ephemeral: false,
    lock: false,
  });
}

async function bareNodes(
  machine: () => StateMachine,
  commandOf: (sequence: number) => Uint8Array,
): Promise<Nodes> {
  const environment = systemEnvironment(() => undefined);
  const network = new MemoryNetwork({ environment });
  const peers = new Map(IDS.map((id) => [id as NodeId, id]));
  const nodes = IDS.map((id) =>
    createNode({
      id: id as NodeId,
      clusterName: 'bench',
      address: id,
      peers,
      store: new MemoryLogStore(),
      transport: new MemoryTransport({ network, address: id }),
      stateMachine: machine(),
      environment,
      settings: defaultSettings,
    }),
  );
  await Promise.all(nodes.map((node) => node.start()));
  const leader = await leaderOf(nodes);
  return {
    operate: (sequence, done) =>
      leader.propose(commandOf(sequence), (answer) => done(answer.type !== 'ok')),
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

async function leaderOf(nodes: readonly RaftNode[]): Promise<RaftNode> {
  const id = await nodes[0]!.waitForLeader();
  return nodes.find((node) => node.id === id)!;
}

async function putAndTell(
  registry: Registry,
  sequence: number,
  done: (failed: boolean) => void,
): Promise<void> {
  try {
    await registry.put(keyOf(sequence, KEYS), VALUE);
    done(false);
  } catch {
    done(true);
  }
}

async function embeddedNodes(): Promise<Nodes> {
  const ports = await freePorts(IDS.length);
  const peers = Object.fromEntries(IDS.map((id, i) => [id, `127.0.0.1:${ports[i]}`]));
  const nodes = await Promise.all(
    IDS.map((id) =>
      Holdfast.start({ id, listen: peers[id] ?? '', peers, store: new MemoryLogStore() }),
    ),
  );
  const leader = await nodes[0]!.waitForLeader();
  const { registry }: HoldfastNode = nodes.find((node) => node.id === leader)!;
  return {
    operate: (sequence, done) => void putAndTell(registry, sequence, done),
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}
