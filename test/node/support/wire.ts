/** A transport whose messages can be delayed, lost and repeated. */
import type { NodeId } from '../../../src/raft/index.ts';
import type {
  PeerIdentity,
  PeerMessage,
  Transport,
  TransportHandlers,
} from '../../../src/transport/index.ts';
import type { Life } from '../../../jepsen-lite/simulation/life.ts';
import type { World } from '../../../jepsen-lite/simulation/world.ts';

export interface WireFaults {
  delayMs: number;
  loss: number;
  repeat: number;
}

export class FaultyTransport implements Transport {
  readonly #inner: Transport;
  readonly #world: World;
  readonly #life: Life;
  readonly #faults: WireFaults;
  /** Messages sent, for tests that count them. */
  readonly sent: PeerMessage[] = [];
  /** How many of `sent` were handed on to the operating system, as it were. */
  flushed = 0;
  #handlers: TransportHandlers | undefined;

  constructor(inner: Transport, world: World, life: Life, faults: WireFaults) {
    this.#inner = inner;
    this.#world = world;
    this.#life = life;
    this.#faults = faults;
  }

  start(handlers: TransportHandlers): Promise<void> {
    this.#handlers = handlers;
    const lives = <A extends unknown[]>(call: (...args: A) => void) => {
      return (...args: A): void => {
        if (!this.#life.over) this.#life.setTimer(0, () => call(...args));
      };
    };
    return this.#inner.start({
      identity: () => handlers.identity(),
      admit: (peer) => (this.#life.over ? 'dead' : handlers.admit(peer)),
      peerSeen: lives((peer: PeerIdentity) => handlers.peerSeen(peer)),
      message: lives((message: PeerMessage, peer) => handlers.message(message, peer)),
      peerLost: lives((id: NodeId) => handlers.peerLost(id)),
      notice: (line) => handlers.notice(line),
    });
  }

  /** As if the network had said so. */
  lose(id: NodeId): void {
    this.#handlers?.peerLost(id);
  }

  setPeers(addresses: ReadonlyMap<NodeId, string>): void {
    this.#inner.setPeers(addresses);
  }

  send(message: PeerMessage): void {
    this.sent.push(message);
    const { delayMs, loss, repeat } = this.#faults;
    if (loss > 0 && this.#world.random() < loss) return;
    this.#later(message, delayMs);
    if (repeat > 0 && this.#world.random() < repeat) this.#later(message, 20 * delayMs);
  }

  #later(message: PeerMessage, delayMs: number): void {
    if (delayMs === 0) {
      this.#inner.send(message);
      return;
    }
    this.#world.after(delayMs * this.#world.random(), () => {
      if (!this.#life.over) this.#inner.send(message);
    });
  }

  flush(): void {
    this.flushed = this.sent.length;
    this.#inner.flush();
  }

  snapshotReady(id: NodeId): boolean {
    return this.#inner.snapshotReady(id);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
