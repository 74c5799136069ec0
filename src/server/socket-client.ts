import type { Socket } from 'node:net';
import { InvariantError } from '../base/index.ts';
import { decodeRequest, frameResponse, REQUEST_FRAME, type Response } from '../protocol/index.ts';
import type { ClientConnection } from '../transport/index.ts';
import {
  acceptHello,
  encodeClientWelcome,
  FrameKind,
  FrameWriter,
  receiveFrames,
  WireError,
  type ClientWelcome,
  type Frame,
  type FrameDecoder,
} from '../wire/index.ts';
import {
  Conversation,
  type ClientEnd,
  type ConversationContext,
  type Outlet,
} from './conversation.ts';
import type { ServiceLimits } from './limits.ts';

export interface SocketClientHooks {
  /** Once; `fault` says what was wrong with the client or the connection, if anything was. */
  readonly onClosed: (end: ClientEnd, fault: string | undefined) => void;
}

/** How long TCP lets a silent peer be before it asks whether it is there. */
const KEEP_ALIVE_DELAY_MS = 15_000;

/**
 * A conversation over a socket. All responses of one turn leave in one write. While the client does
 * not read, nothing is read from it either, and its watches wait in history.
 */
export class SocketClient implements ClientEnd, Outlet {
  readonly conversation: Conversation;
  readonly #socket: Socket;
  readonly #decoder: FrameDecoder;
  readonly #frames: FrameWriter;
  readonly #limits: ServiceLimits;
  readonly #hooks: SocketClientHooks;
  #paused = false;
  #closed = false;

  constructor(context: ConversationContext, client: ClientConnection, hooks: SocketClientHooks) {
    const { socket, decoder } = client;
    this.#socket = socket;
    this.#decoder = decoder;
    this.#limits = context.limits;
    this.#hooks = hooks;
    const { maxFrameBytes } = context.limits;
    this.#frames = new FrameWriter(socket, { maxFrameBytes, defer: queueMicrotask });
    this.conversation = new Conversation(context, this);
    decoder.maxFrameBytes = maxFrameBytes;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    socket.on('drain', () => this.#drained());
  }

  /** Accepts the client and begins to read, which may end the connection at once. */
  start(welcome: ClientWelcome): void {
    acceptHello(this.#socket, 'client', encodeClientWelcome(welcome));
    receiveFrames(this.#socket, this.#decoder, {
      frame: (frame) => this.#receive(frame),
      closed: (reason) => this.#end(reason),
    });
    // Reading began just now, perhaps after the first answers had filled the queue.
    if (this.#paused) this.#socket.pause();
  }

  get writable(): boolean {
    return this.#frames.queuedBytes < this.#limits.pauseOutputBytes;
  }

  send(response: Response): void {
    if (this.#closed) return;
    if (frameResponse(this.#frames, response) === 0) this.#sendTooLarge(response.id);
    const queued = this.#frames.queuedBytes;
    if (queued < this.#limits.pauseOutputBytes) return;
    if (queued > this.#limits.maxOutputBytes) {
      return this.abandon(`does not read its answers: ${queued} bytes wait for it`);
    }
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  notify(response: Response): void {
    this.send(response);
  }

  abandon(reason: string): void {
    this.#end(reason);
    this.#socket.destroy();
  }

  finish(): void {
    if (this.#closed) return;
    this.conversation.stop();
    this.#frames.flush();
    this.#end(undefined);
    // Waits until the answers have left; whoever owns the socket cuts it when that takes too long.
    this.#socket.destroySoon();
  }

  /** For whoever gives up on a client that does not read. */
  cut(): void {
    this.#socket.destroy();
  }

  #receive(frame: Frame): void {
    if (frame.kind === FrameKind.ping) {
      this.#frames.begin();
      this.#frames.end(FrameKind.pong);
      return;
    }
    if (frame.kind !== REQUEST_FRAME || frame.tail.length > 0) {
      throw new WireError('unexpected-frame', `frame of kind ${frame.kind} in place of a request`);
    }
    const request = decodeRequest(frame.head);
    try {
      this.conversation.handle(request);
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      this.abandon(`request ${request.type} failed inside the server: ${String(error)}`);
    }
  }

  #sendTooLarge(id: number): void {
    const limit = this.#limits.maxFrameBytes;
    frameResponse(this.#frames, {
      type: 'error',
      id,
      code: 'too-large',
      message: `the answer does not fit in a frame of ${limit} bytes; ask for less at once`,
      outcome: 'unknown',
      leader: '',
    });
  }

  #drained(): void {
    if (this.#closed || !this.writable) return;
    if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
    this.conversation.wake();
  }

  #end(fault: string | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.conversation.close();
    this.#hooks.onClosed(this, fault);
  }
}
