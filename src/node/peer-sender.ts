/** What leaves for other nodes, and what may wait a moment before it does. */
import type { NodeId } from '../raft/index.ts';
import type { PeerMessage, Transport } from '../transport/index.ts';
import type { Environment } from './contract.ts';

/** As short as timers go. */
const HOLD_MS = 1;

/**
 * Sends in order, but for appends without entries. They only tell a follower how far is committed,
 * which the next entries tell as well: so they wait for those a moment, and with one client that
 * writes, each follower has one message a write to see to and not two. Nobody waits longer for it:
 * whoever needs the commit index at a follower has asked the leader for something, and its answer
 * takes along what was held.
 */
export class PeerSender {
  readonly #transport: Transport;
  readonly #environment: Environment;
  readonly #held = new Map<NodeId, PeerMessage>();
  #cancelTimer: (() => void) | undefined;

  constructor(transport: Transport, environment: Environment) {
    this.#transport = transport;
    this.#environment = environment;
  }

  send(message: PeerMessage): void {
    if (message.type === 'appendRequest' && message.entries.length === 0) {
      this.#held.set(message.to, message);
      this.#cancelTimer ??= this.#environment.setTimer(HOLD_MS, () => this.#release());
      return;
    }
    // A later append says all that an earlier one without entries does.
    if (message.type !== 'appendRequest') this.#releaseTo(message.to);
    else this.#held.delete(message.to);
    this.#transport.send(message);
  }

  /** What is held is not sent any more. */
  stop(): void {
    this.#cancelTimer?.();
    this.#held.clear();
  }

  #release(): void {
    this.#cancelTimer = undefined;
    if (this.#held.size === 0) return;
    for (const message of this.#held.values()) this.#transport.send(message);
    this.#held.clear();
    this.#transport.flush();
  }

  #releaseTo(id: NodeId): void {
    const message = this.#held.get(id);
    if (message === undefined) return;
    this.#held.delete(id);
    this.#transport.send(message);
  }
}
