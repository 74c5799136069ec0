import type { Socket } from 'node:net';
import { HoldfastError, MalformedBytesError } from '../../base/index.ts';
import type { NodeId } from '../../raft/index.ts';
import {
  FrameKind,
  FrameWriter,
  offerHello,
  receiveFrames,
  type FrameDecoder,
  type OfferResult,
} from '../../wire/index.ts';
import { refusePeer } from '../admission.ts';
import type { PeerIdentity, PeerMessage, TransportHandlers } from '../contract.ts';
import type { TransportEnvironment } from '../environment.ts';
import { decodeIdentity, encodeIdentity } from '../identity-codec.ts';
import { encodePeerMessage } from '../message-codec.ts';
import { RepeatedNotice } from '../repeated-notice.ts';
import { Backoff } from './backoff.ts';
import { dial, reasonOf } from './dial.ts';
import type { TcpLimits, TlsOptions } from './options.ts';
import { QueueLimit } from './queue-limit.ts';

export interface OutboundOptions {
  readonly streamKind: 'peer' | 'snapshot';
  /** Whom to reach, and where. */
  readonly id: NodeId;
  readonly address: string;
  readonly maxQueueBytes: number;
  readonly limits: TcpLimits;
  readonly tls: TlsOptions | undefined;
  readonly environment: TransportEnvironment;
  readonly handlers: TransportHandlers;
  readonly opened: (peer: PeerIdentity) => void;
  /** The stream was open and is not any more, or dropped messages for want of room. */
  readonly lost: (cause: 'closed' | 'overflow') => void;
}

type State =
  | { readonly type: 'stopped' }
  | { readonly type: 'waiting'; readonly cancelTimer: () => void }
  | { readonly type: 'dialing'; readonly socket: Socket; readonly cancelTimer: () => void }
  | { readonly type: 'open'; readonly socket: Socket; readonly writer: FrameWriter };

/** One connection this node keeps up to one peer, for what it sends there. */
export class OutboundStream {
  readonly #options: OutboundOptions;
  readonly #backoff: Backoff;
  readonly #notice: RepeatedNotice;
  readonly #queue: QueueLimit;
  #state: State = { type: 'stopped' };
  /** Pings sent since the peer last said anything. */
  #unanswered = 0;
  #cancelPing: () => void = () => undefined;

  constructor(options: OutboundOptions) {
    const { limits, environment, handlers } = options;
    this.#options = options;
    this.#backoff = new Backoff(limits.minRetryMs, limits.maxRetryMs, () => environment.random());
    this.#notice = new RepeatedNotice((line) => handlers.notice(line));
    this.#queue = new QueueLimit(options.maxQueueBytes, () => this.#overflowed());
  }

  get hasRoom(): boolean {
    const state = this.#state;
    return state.type === 'open' && state.writer.queuedBytes < this.#options.maxQueueBytes;
  }

  start(): void {
    if (this.#state.type === 'stopped') this.#dial();
  }

  /** The peer has just shown that it is there: do not wait for the next attempt. */
  hurry(): void {
    if (this.#state.type !== 'waiting') return;
    this.#state.cancelTimer();
    this.#dial();
  }

  /** Hangs up without waiting for what is queued. */
  abort(): void {
    const state = this.#state;
    this.#leave();
    if (state.type === 'waiting' || state.type === 'dialing') state.cancelTimer();
    if (state.type === 'dialing' || state.type === 'open') state.socket.destroy();
  }

  /** Hangs up once what is queued has left, or after a while; returns the socket until then. */
  stop(): Socket | undefined {
    const state = this.#state;
    if (state.type !== 'open') {
      this.abort();
      return undefined;
    }
    this.#leave();
    const { socket, writer } = state;
    const { environment, limits } = this.#options;
    writer.flush();
    socket.destroySoon();
    const cancelTimer = environment.setTimer(limits.closeGraceMs, () => socket.destroy());
    socket.once('close', cancelTimer);
    return socket;
  }

  /** Drops the message when the stream is away or its queue is full. */
  send(message: PeerMessage): void {
    const state = this.#state;
    if (state.type !== 'open' || !this.#queue.admits(state.writer.queuedBytes)) return;
    if (encodePeerMessage(state.writer, message) > 0) return;
    const { limits } = this.#options;
    this.#notice.say(
      `${this.#name()}: dropped a ${message.type} longer than ${limits.maxFrameBytes} bytes`,
    );
  }

  flush(): void {
    if (this.#state.type === 'open') this.#state.writer.flush();
  }

  #overflowed(): void {
    const { maxQueueBytes, lost, environment } = this.#options;
    this.#notice.say(`${this.#name()}: ${maxQueueBytes} bytes waiting, dropping what comes next`);
    // Not now: whoever is sending is in the middle of something.
    environment.defer(() => lost('overflow'));
  }

  #name(): string {
    const { id, address, streamKind } = this.#options;
    return `peer '${id}' at ${address}${streamKind === 'snapshot' ? ' (snapshots)' : ''}`;
  }

  #leave(): void {
    this.#state = { type: 'stopped' };
    this.#cancelPing();
    this.#queue.reset();
  }

  #dial(): void {
    const { environment, limits, address, tls } = this.#options;
    let socket: Socket;
    let offered = false;
    try {
      socket = dial(address, tls, () => {
        offered = true;
        this.#offer(socket);
      });
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      this.#retryLater(error.message, limits.refusedRetryMs);
      return;
    }
    const giveUp = (reason: string): void => {
      if (offered || !this.#isDialing(socket)) return;
      cancelTimer();
      socket.destroy();
      this.#retryLater(reason);
    };
    const cancelTimer = environment.setTimer(limits.connectTimeoutMs, () => {
      giveUp(`no connection within ${limits.connectTimeoutMs} ms`);
    });
    this.#state = { type: 'dialing', socket, cancelTimer };
    // Stay for the socket's whole life, and do nothing once it is past this stage.
    socket.on('error', (error) => giveUp(reasonOf(error)));
    socket.on('close', () => giveUp('connection closed while it was being made'));
  }

  #isDialing(socket: Socket): boolean {
    return this.#state.type === 'dialing' && this.#state.socket === socket;
  }

  #isOpen(socket: Socket): boolean {
    return this.#state.type === 'open' && this.#state.socket === socket;
  }

  #offer(socket: Socket): void {
    const state = this.#state;
    if (state.type !== 'dialing' || state.socket !== socket) return;
    state.cancelTimer();
    const { environment, limits, streamKind, handlers } = this.#options;
    const hello = { streamKind, payload: encodeIdentity(handlers.identity()) };
    const handshake = {
      timeoutMs: limits.handshakeTimeoutMs,
      setTimer: environment.setTimer.bind(environment),
    };
    offerHello(socket, hello, handshake, (result) => {
      if (this.#isDialing(socket)) this.#answered(socket, result);
    });
  }

  #answered(socket: Socket, result: OfferResult): void {
    const { limits } = this.#options;
    if (result.type === 'failed') {
      this.#retryLater(result.error.message);
      return;
    }
    if (result.type === 'refused') {
      this.#retryLater(`refused this node: ${result.reason}`, limits.refusedRetryMs);
      return;
    }
    const verdict = this.#judge(result.payload);
    if (verdict.type === 'refused') {
      socket.on('error', () => undefined).destroy();
      this.#retryLater(`refused by this node: ${verdict.reason}`, limits.refusedRetryMs);
      return;
    }
    this.#open(socket, result.decoder, verdict.peer);
  }

  #judge(
    payload: Uint8Array,
  ): { type: 'fits'; peer: PeerIdentity } | { type: 'refused'; reason: string } {
    const { id, address, handlers } = this.#options;
    try {
      const peer = decodeIdentity(payload);
      const refusal = refusePeer({
        own: handlers.identity(),
        peer,
        expected: { id, address },
        admit: (one) => handlers.admit(one),
      });
      if (refusal !== undefined) return { type: 'refused', reason: refusal.reason };
      return { type: 'fits', peer };
    } catch (error) {
      if (!(error instanceof MalformedBytesError)) throw error;
      return { type: 'refused', reason: `unreadable identity: ${error.message}` };
    }
  }

  #open(socket: Socket, decoder: FrameDecoder, peer: PeerIdentity): void {
    const { limits, environment } = this.#options;
    const writer = new FrameWriter(socket, {
      maxFrameBytes: limits.maxFrameBytes,
      defer: (callback) => environment.defer(callback),
    });
    this.#state = { type: 'open', socket, writer };
    this.#unanswered = 0;
    this.#notice.clear();
    this.#schedulePing();
    receiveFrames(socket, decoder, {
      // The peer says nothing here but that it lives.
      frame: () => {
        this.#unanswered = 0;
        this.#backoff.reset();
      },
      closed: (reason) => this.#closed(socket, reason ?? 'closed by the peer'),
    });
    if (this.#isOpen(socket)) this.#options.opened(peer);
  }

  #schedulePing(): void {
    const { environment, limits } = this.#options;
    this.#cancelPing = environment.setTimer(limits.pingIntervalMs, () => this.#ping());
  }

  #ping(): void {
    const state = this.#state;
    if (state.type !== 'open') return;
    const { missedPings, pingIntervalMs } = this.#options.limits;
    if (this.#unanswered >= missedPings) {
      state.socket.destroy();
      this.#closed(state.socket, `no sign of life for ${missedPings * pingIntervalMs} ms`);
      return;
    }
    this.#unanswered++;
    state.writer.begin();
    state.writer.end(FrameKind.ping);
    this.#schedulePing();
  }

  #closed(socket: Socket, reason: string): void {
    if (!this.#isOpen(socket)) return;
    this.#leave();
    this.#retryLater(reason);
    this.#options.lost('closed');
  }

  #retryLater(reason: string, delayMs: number = this.#backoff.nextDelayMs()): void {
    this.#notice.say(`${this.#name()}: ${reason}`);
    const cancelTimer = this.#options.environment.setTimer(delayMs, () => this.#dial());
    this.#state = { type: 'waiting', cancelTimer };
  }
}
