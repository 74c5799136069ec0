/** What lies between the nodes: frames under way, links that are cut, slow, or lie. */
import type { PeerMessage } from '../../src/transport/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import type { WeatherFault } from '../faults/fault.ts';
import { decodeMessage, encodeMessage, withFlippedBit } from './frame-bytes.ts';
import type { SentMessage } from './message-log.ts';
import type { PeerLink, LinkSession } from './peer-link.ts';
import type { SimulatedTransport } from './transport.ts';
import type { World } from './world.ts';

export type Weather = Pick<WeatherFault, 'loss' | 'duplicate' | 'delayMs' | 'corrupt'>;

/** A message that comes twice does so within about so many latencies. */
const REPEAT_LATENCIES = 4;

const CALM: Weather = { loss: 0, duplicate: 0, delayMs: 0, corrupt: 0 };

/** Of a message that arrives nowhere, why. */
export type Loss = 'cut' | 'lost' | 'gone';

/** A frame under way. */
interface Parcel {
  readonly link: PeerLink;
  readonly session: LinkSession;
  readonly sent: SentMessage;
  readonly bytes: Uint8Array;
  readonly isDamaged: boolean;
}

/** Who watches the traffic. */
export interface NetworkObserver {
  sent(message: PeerMessage): SentMessage;
  delivered(message: PeerMessage, bytes: Uint8Array): void;
  lost(from: NodeId, to: NodeId, why: Loss): void;
  /** A frame is carried once more. */
  repeated(): void;
  /** A frame was damaged, and the receiver refused it. */
  refused(from: NodeId, to: NodeId): void;
  /** A frame was damaged, and was taken all the same. */
  acceptedDamage(from: NodeId, to: NodeId): void;
}

export interface NetworkOptions {
  /** Chance of one link, or of another sender and receiver. */
  readonly randomOf: (link: string) => () => number;
  readonly minLatencyMs: number;
  readonly maxLatencyMs: number;
  /** Pause before a peer that is away, or that refused, is tried again. */
  readonly retryMs: number;
  /**
   * A connection whose other end went without a word is given up after so long, though nothing is
   * sent on it: every transport asks idle peers whether they live.
   */
  readonly noticeMs: number;
  readonly observer: NetworkObserver;
}

export class SimulatedNetwork {
  readonly world: World;
  readonly options: NetworkOptions;
  readonly #stations = new Map<string, SimulatedTransport>();
  /** By link: how many faults cut it now. */
  readonly #cuts = new Map<string, number>();
  readonly #slow = new Map<string, number>();
  #weather = CALM;

  constructor(world: World, options: NetworkOptions) {
    this.world = world;
    this.options = options;
  }

  /** Drops what `from` sends to `to` until `heal` was called as often. */
  cut(from: string, to: string): void {
    const link = linkName(from, to);
    this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1);
  }

  heal(from: string, to: string): void {
    const link = linkName(from, to);
    const left = (this.#cuts.get(link) ?? 0) - 1;
    if (left > 0) this.#cuts.set(link, left);
    else this.#cuts.delete(link);
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(linkName(from, to));
  }

  get hasCuts(): boolean {
    return this.#cuts.size > 0;
  }

  slow(from: string, to: string, delayMs: number): void {
    if (delayMs > 0) this.#slow.set(linkName(from, to), delayMs);
    else this.#slow.delete(linkName(from, to));
  }

  set weather(weather: Weather | undefined) {
    this.#weather = weather ?? CALM;
  }

  /** All is well from now on. */
  healAll(): void {
    this.#cuts.clear();
    this.#slow.clear();
    this.#weather = CALM;
  }

  at(address: string): SimulatedTransport | undefined {
    return this.#stations.get(address);
  }

  join(address: string, station: SimulatedTransport): void {
    this.#stations.set(address, station);
  }

  /** `silently`: nobody is told that it is gone, and each finds out by itself in time. */
  leave(address: string, station: SimulatedTransport, silently: boolean): void {
    if (this.#stations.get(address) === station) this.#stations.delete(address);
    if (silently) this.world.after(this.options.noticeMs, () => this.#gone(station));
    else this.#gone(station);
  }

  #gone(station: SimulatedTransport): void {
    for (const other of this.#stations.values()) other.targetGone(station);
  }

  latencyMs(random: () => number): number {
    const { minLatencyMs, maxLatencyMs } = this.options;
    return minLatencyMs + (maxLatencyMs - minLatencyMs) * random();
  }

  carry(link: PeerLink, session: LinkSession, message: PeerMessage): void {
    const { observer } = this.options;
    const { random } = link;
    const { from, to } = message;
    const bytes = encodeMessage(message);
    const sent = observer.sent(message);
    if (this.isCut(from, to)) {
      observer.lost(from, to, 'cut');
      return;
    }
    const { loss, duplicate, delayMs, corrupt } = this.#weather;
    if (loss > 0 && random() < loss) {
      observer.lost(from, to, 'lost');
      return;
    }
    const isDamaged = corrupt > 0 && random() < corrupt;
    const carried = isDamaged ? withFlippedBit(bytes, random()) : bytes;
    const parcel = { link, session, sent, bytes: carried, isDamaged };
    const arrive = (): void => this.#arrive(parcel);
    this.world.at(this.#arrivalAt(link, from, to, delayMs), arrive);
    if (duplicate > 0 && random() < duplicate) {
      observer.repeated();
      this.world.after(this.#repeatMs(link, delayMs), arrive);
    }
  }

  /** The second time comes late, so that others have come between. */
  #repeatMs(link: PeerLink, delayMs: number): number {
    const { maxLatencyMs } = this.options;
    return 2 * Math.max(delayMs, REPEAT_LATENCIES * maxLatencyMs) * link.random();
  }

  /** In order, unless the weather shuffles. */
  #arrivalAt(link: PeerLink, from: string, to: string, delayMs: number): number {
    const { now } = this.world;
    const slowMs = this.#slow.size === 0 ? 0 : (this.#slow.get(linkName(from, to)) ?? 0);
    const at = now + this.latencyMs(link.random) + slowMs;
    if (delayMs > 0) return at + delayMs * link.random();
    link.lastArrivalMs = Math.max(link.lastArrivalMs, at);
    return link.lastArrivalMs;
  }

  #arrive(parcel: Parcel): void {
    const { link, session } = parcel;
    const { target, sender } = session;
    const { observer } = this.options;
    if (link.session !== session) return;
    if (this.isCut(sender.id, target.id)) {
      observer.lost(sender.id, target.id, 'cut');
      return;
    }
    if (target.closed) {
      observer.lost(sender.id, target.id, 'gone');
      // Whoever listens there now knows nothing of this connection, and says so.
      if (this.at(link.address) !== undefined) link.lost();
      return;
    }
    target.life.run(() => this.#receive(parcel));
  }

  #receive({ link, session, sent, bytes, isDamaged }: Parcel): void {
    const { target, sender } = session;
    const { observer } = this.options;
    if (link.session !== session || target.closed) return;
    let message: PeerMessage;
    try {
      message = decodeMessage(bytes, sender.id, target.id);
    } catch (error) {
      if (!isDamaged) throw error;
      observer.refused(sender.id, target.id);
      link.lost();
      return;
    }
    if (isDamaged) observer.acceptedDamage(sender.id, target.id);
    sent.receivedMs ??= this.world.now;
    observer.delivered(message, bytes);
    session.targetHandlers.message(message, sender);
  }
}

function linkName(from: string, to: string): string {
  return `${from}>${to}`;
}
