/** The opening exchange over a socket, and frames from then on. */
import type { Socket } from 'node:net';
import { MalformedBytesError } from '../base/index.ts';
import type { FrameDecoder } from './frame-decoder.ts';
import { WireError, type Frame } from './frame.ts';
import {
  decodeHelloReply,
  encodeHello,
  encodeHelloReply,
  HelloReader,
  type Hello,
  type HelloReply,
  type Opening,
  type Refusal,
  type StreamKind,
} from './hello.ts';

/** How long a refused connection may take to read the reason before it is cut. */
const LINGER_MS = 1000;

/** Calls once, not before `delayMs`; returns a function that cancels it. */
export type SetTimer = (delayMs: number, callback: () => void) => () => void;

export interface HandshakeOptions {
  /** For the whole exchange, from the call on. */
  readonly timeoutMs: number;
  readonly setTimer: SetTimer;
  /** Longest opening frame; `MAX_HELLO_BYTES` by default. */
  readonly maxHelloBytes?: number;
}

export type AcceptResult =
  /** Answer with `acceptHello` or `refuseHello`, then `receiveFrames`. */
  | { readonly type: 'hello'; readonly hello: Hello; readonly decoder: FrameDecoder }
  /** The socket is closed already. `silent`: the other side never said a byte. */
  | { readonly type: 'failed'; readonly error: WireError; readonly silent: boolean };

export type OfferResult =
  | { readonly type: 'accepted'; readonly payload: Uint8Array; readonly decoder: FrameDecoder }
  /** The socket is closed already. */
  | ({ readonly type: 'refused' } & Refusal)
  | { readonly type: 'failed'; readonly error: WireError };

type ReadResult =
  | { readonly type: 'opening'; readonly opening: Opening }
  | { readonly type: 'failed'; readonly error: WireError };

/** Waits for the other side's opening. The socket is left paused and without listeners. */
function readOpening(
  socket: Socket,
  reader: HelloReader,
  options: HandshakeOptions,
  done: (result: ReadResult) => void,
): void {
  const finish = (result: ReadResult): void => {
    cancelTimer();
    socket.off('data', onData).off('error', onError).off('close', onClose);
    // Errors of a socket nobody listens to any more must not end the process.
    if (result.type === 'failed') socket.on('error', () => undefined);
    done(result);
  };
  const fail = (error: WireError): void => finish({ type: 'failed', error });
  const onData = (chunk: Uint8Array): void => {
    let opening: Opening | undefined;
    try {
      opening = reader.push(chunk);
    } catch (error) {
      socket.pause();
      if (!(error instanceof WireError)) throw error;
      fail(error);
      return;
    }
    if (opening === undefined) return;
    socket.pause();
    finish({ type: 'opening', opening });
  };
  const onError = (error: Error): void => fail(new WireError('closed', error.message));
  const onClose = (): void => fail(new WireError('closed', 'connection closed during the hello'));
  const cancelTimer = options.setTimer(options.timeoutMs, () => {
    const message = `no complete hello within ${options.timeoutMs} ms`;
    fail(new WireError('handshake-timeout', message));
  });
  socket.on('data', onData).on('error', onError).on('close', onClose);
}

/**
 * Reads the hello of a connection just accepted. `done` is called once, never before this returns;
 * on failure the socket is closed, with the reason told when the other side can understand it.
 */
export function readHello(
  socket: Socket,
  options: HandshakeOptions,
  done: (result: AcceptResult) => void,
): void {
  const reader = new HelloReader('hello', options.maxHelloBytes);
  readOpening(socket, reader, options, (result) => {
    if (result.type === 'opening') {
      const { streamKind, frame, decoder } = result.opening;
      done({ type: 'hello', hello: { streamKind, payload: frame.head }, decoder });
      return;
    }
    const { error } = result;
    if (error.rule === 'wrong-version') {
      const refusal = { code: 'wrong-version', reason: error.message };
      refuseHello(socket, 'client', refusal, options.setTimer);
    } else {
      socket.destroy();
    }
    done({ type: 'failed', error, silent: reader.filled === 0 });
  });
}

/** Tells the dialer it is welcome. Frames may follow at once. */
export function acceptHello(socket: Socket, streamKind: StreamKind, payload: Uint8Array): void {
  socket.write(encodeHelloReply(streamKind, { type: 'accepted', payload }));
}

/** Tells the dialer why it is not welcome and closes the connection. */
export function refuseHello(
  socket: Socket,
  streamKind: StreamKind,
  refusal: Refusal,
  setTimer: SetTimer,
): void {
  const reply: HelloReply = { type: 'refused', code: refusal.code, reason: refusal.reason };
  // Unread bytes would turn the close into a reset, which may overtake the reason: read them all.
  socket
    .on('data', () => undefined)
    .on('error', () => undefined)
    .resume();
  socket.end(encodeHelloReply(streamKind, reply));
  const cancelTimer = setTimer(LINGER_MS, () => socket.destroy());
  socket.once('close', cancelTimer);
}

/**
 * Opens a connected socket with a hello and waits for the answer. `done` is called once, never
 * before this returns; unless accepted, the socket is closed.
 */
export function offerHello(
  socket: Socket,
  hello: Hello,
  options: HandshakeOptions,
  done: (result: OfferResult) => void,
): void {
  const reader = new HelloReader('helloReply', options.maxHelloBytes);
  readOpening(socket, reader, options, (result) => {
    const answer = result.type === 'opening' ? readAnswer(result.opening) : result;
    if (answer.type !== 'accepted') socket.on('error', () => undefined).destroy();
    done(answer);
  });
  socket.write(encodeHello(hello));
}

function readAnswer(opening: Opening): OfferResult {
  try {
    const reply = decodeHelloReply(opening.frame.head);
    if (reply.type === 'refused') return reply;
    return { type: 'accepted', payload: reply.payload, decoder: opening.decoder };
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    const message = `unreadable answer to the hello: ${error.message}`;
    return { type: 'failed', error: new WireError('unexpected-frame', message) };
  }
}

export interface FrameHandlers {
  /** May throw `WireError` or `MalformedBytesError`, which closes the connection. */
  frame(frame: Frame): void;
  /** Once: why it ended, or undefined when the other side closed between two frames. */
  closed(reason: string | undefined): void;
}

/**
 * Hands over every frame of an opened connection, those already in `decoder` first (before this
 * returns), until it ends or breaks a rule. Sets the socket flowing; pausing it is the caller's
 * means of back-pressure.
 */
export function receiveFrames(
  socket: Socket,
  decoder: FrameDecoder,
  handlers: FrameHandlers,
): void {
  let open = true;
  const close = (reason: string | undefined): void => {
    if (!open) return;
    open = false;
    socket.destroy();
    handlers.closed(reason);
  };
  const guard = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof WireError || error instanceof MalformedBytesError)) throw error;
      close(error.message);
    }
  };
  const drain = (): void => {
    for (;;) {
      const frame = decoder.next();
      if (frame === undefined) return;
      handlers.frame(frame);
      if (!open || socket.destroyed) return;
    }
  };
  socket.on('data', (chunk: Uint8Array) =>
    guard(() => {
      if (!open) return;
      decoder.push(chunk);
      drain();
    }),
  );
  socket.on('error', (error) => close(error.message));
  socket.on('end', () => guard(() => decoder.end()));
  socket.on('close', () => close(undefined));
  guard(drain);
  if (open) socket.resume();
}
