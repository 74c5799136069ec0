/** A node's side of a transport that writes down everything it is told. */
import type { LogIndex, NodeId, Term } from '../../../src/raft/index.ts';
import type {
  PeerIdentity,
  PeerMessage,
  TransportEnvironment,
  TransportHandlers,
} from '../../../src/transport/index.ts';

export function nodeId(name: string): NodeId {
  return name as NodeId;
}

export function identityOf(name: string, changes: Partial<PeerIdentity> = {}): PeerIdentity {
  return {
    id: nodeId(name),
    clusterName: 'test',
    clusterId: '',
    storeId: `store-${name}`,
    address: `${name}:1`,
    foundingPeers: '',
    configuration: '',
    founding: undefined,
    ...changes,
  };
}

export class Recorder implements TransportHandlers {
  own: PeerIdentity;
  refusal: string | undefined = undefined;
  readonly seen: PeerIdentity[] = [];
  readonly received: { readonly message: PeerMessage; readonly peer: PeerIdentity }[] = [];
  readonly lost: NodeId[] = [];
  readonly notices: string[] = [];

  constructor(own: PeerIdentity) {
    this.own = own;
  }

  identity(): PeerIdentity {
    return this.own;
  }
  admit(): string | undefined {
    return this.refusal;
  }
  peerSeen(peer: PeerIdentity): void {
    this.seen.push(peer);
  }
  message(message: PeerMessage, peer: PeerIdentity): void {
    this.received.push({ message, peer });
  }
  peerLost(id: NodeId): void {
    this.lost.push(id);
  }
  notice(line: string): void {
    this.notices.push(line);
  }

  hasSeen(name: string): boolean {
    return this.seen.some((peer) => peer.id === name);
  }
  noticed(pattern: RegExp): number {
    return this.notices.filter((line) => pattern.test(line)).length;
  }
  /** Rounds of the heartbeats received, in order of arrival. */
  rounds(): number[] {
    return this.received.flatMap(({ message }) =>
      message.type === 'heartbeatRequest' ? [message.round] : [],
    );
  }
}

export const systemEnvironment: TransportEnvironment = {
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  defer: (callback) => void setImmediate(callback),
  random: () => Math.random(),
};

const DEADLINE_MS = 20_000;

/** Waits until the condition holds; fails with `what` when it does not within a generous time. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export function heartbeat(from: string, to: string, round: number): PeerMessage {
  const base = { from: nodeId(from), to: nodeId(to), term: 1 as Term };
  return { type: 'heartbeatRequest', ...base, round, commit: 0 as LogIndex };
}

export function snapshotChunk(from: string, to: string, data: Uint8Array): PeerMessage {
  const base = { from: nodeId(from), to: nodeId(to), term: 1 as Term };
  const membership = {
    clusterId: 'c',
    voters: [nodeId(from)],
    outgoing: [],
    learners: [],
    promotable: [],
    members: { [nodeId(from)]: { address: 'a:1', storeId: 's' } },
  };
  const snapshot = { index: 5 as LogIndex, term: 1 as Term, time: 0, membership };
  return { type: 'snapshotChunkRequest', ...base, snapshot, offset: 0, data, last: false };
}

export function forward(from: string, to: string, payload: Uint8Array): PeerMessage {
  const base = { from: nodeId(from), to: nodeId(to), requestId: 1 };
  return { type: 'forwardRequest', ...base, kind: 'propose', payload };
}
