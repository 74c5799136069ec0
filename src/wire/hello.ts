/**
 * The opening of every connection. Each side first sends eight bytes and one frame:
 *
 * | bytes | field |
 * |---|---|
 * | 0-3 | magic `HLDF` |
 * | 4-5 | protocol version, little-endian |
 * | 6   | stream kind: 1 peer, 2 snapshot, 3 client (the acceptor repeats the dialer's) |
 * | 7   | 0 |
 * | 8-  | the dialer: a `hello` frame; the acceptor: a `helloReply` frame |
 *
 * The eight bytes and the reply's layout keep their meaning in every version, so that a refusal for
 * a wrong version can be read by both.
 */
import { ByteReader, ByteWriter } from '../base/index.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { encodeFrame, FrameKind, WireError, type Frame } from './frame.ts';

export const PROTOCOL_VERSION = 2;
/** Longest opening frame accepted, before anything is known of the other side. */
export const MAX_HELLO_BYTES: number = 64 * 1024;

/** What a connection is for. */
export type StreamKind =
  /** Raft messages and forwarded requests of one node for another. */
  | 'peer'
  /** The same, but snapshot chunks only. */
  | 'snapshot'
  | 'client';

export interface Hello {
  readonly streamKind: StreamKind;
  /** In the layout of its stream kind: the speaker's identity, or a `ClientHello`. */
  readonly payload: Uint8Array;
}

/** Why a connection is not wanted; `code` is an `ErrorCode`. */
export interface Refusal {
  readonly code: string;
  /** One line for people. */
  readonly reason: string;
}

export type HelloReply =
  | { readonly type: 'accepted'; readonly payload: Uint8Array }
  | ({ readonly type: 'refused' } & Refusal);

const MAGIC = 'HLDF';
const OPENING_BYTES = 8;
const STREAM_KINDS: readonly StreamKind[] = ['peer', 'snapshot', 'client'];

function encodeOpening(streamKind: StreamKind, frame: Uint8Array, version: number): Uint8Array {
  const writer = new ByteWriter(OPENING_BYTES + frame.length);
  for (const char of MAGIC) writer.u8(char.charCodeAt(0));
  writer.u8(version & 0xff).u8(version >>> 8);
  writer.u8(STREAM_KINDS.indexOf(streamKind) + 1).u8(0);
  return writer.raw(frame).finish();
}

/** The first bytes a dialer sends. `version` is there for tests. */
export function encodeHello(hello: Hello, version: number = PROTOCOL_VERSION): Uint8Array {
  return encodeOpening(hello.streamKind, encodeFrame(FrameKind.hello, hello.payload), version);
}

/** The first bytes an acceptor sends. */
export function encodeHelloReply(streamKind: StreamKind, reply: HelloReply): Uint8Array {
  const writer = new ByteWriter();
  if (reply.type === 'accepted') writer.u8(1).raw(reply.payload);
  else writer.u8(0).text(reply.code).text(reply.reason);
  const frame = encodeFrame(FrameKind.helloReply, writer.finish());
  return encodeOpening(streamKind, frame, PROTOCOL_VERSION);
}

/** Decodes the head of a `helloReply` frame; throws `MalformedBytesError`. */
export function decodeHelloReply(head: Uint8Array): HelloReply {
  const reader = new ByteReader(head);
  if (reader.boolean()) return { type: 'accepted', payload: reader.raw(reader.remaining) };
  const reply = { type: 'refused', code: reader.text(), reason: reader.text() } as const;
  reader.end();
  return reply;
}

function describeStranger(opening: Uint8Array): string {
  const text = String.fromCharCode(...opening);
  if (/^(GET|POST|PUT|HEAD|OPTI|DELE|PRI)/.test(text)) return ' (an HTTP request?)';
  if (text.startsWith('HTTP')) return ' (an HTTP server?)';
  if (opening[0] === 0x16 && (opening[1] ?? 3) === 3) return ' (TLS spoken to a port without TLS?)';
  if (opening[0] === 0x15 && (opening[1] ?? 3) === 3) return ' (plain speech to a port with TLS?)';
  return '';
}

/** What `HelloReader` found: the other side's opening frame and what follows it. */
export interface Opening {
  readonly streamKind: StreamKind;
  readonly frame: Frame;
  /** Goes on after the opening; may hold bytes already. */
  readonly decoder: FrameDecoder;
}

/** Reads the other side's opening, however it is cut into pieces. */
export class HelloReader {
  readonly #wantedKind: number;
  readonly #maxBytes: number;
  readonly #opening = new Uint8Array(OPENING_BYTES);
  #filled = 0;
  #decoder: FrameDecoder | undefined = undefined;

  /** @param expecting what the other side has to open with */
  constructor(expecting: 'hello' | 'helloReply', maxBytes: number = MAX_HELLO_BYTES) {
    this.#wantedKind = FrameKind[expecting];
    this.#maxBytes = maxBytes;
  }

  /** Bytes seen of the opening's fixed part; 0 for a connection that said nothing. */
  get filled(): number {
    return this.#filled;
  }

  /** Takes what arrived; returns the opening once it is complete. Throws `WireError`. */
  push(chunk: Uint8Array): Opening | undefined {
    const wanted = Math.min(OPENING_BYTES - this.#filled, chunk.length);
    this.#opening.set(chunk.subarray(0, wanted), this.#filled);
    this.#filled += wanted;
    this.#checkMagic();
    if (this.#filled < OPENING_BYTES) return undefined;
    const streamKind = this.#readFixedPart();
    this.#decoder ??= new FrameDecoder({ maxFrameBytes: this.#maxBytes });
    if (chunk.length > wanted) this.#decoder.push(chunk.subarray(wanted));
    const frame = this.#decoder.next();
    if (frame === undefined) return undefined;
    if (frame.kind !== this.#wantedKind || frame.tail.length > 0) {
      throw new WireError('unexpected-frame', `frame of kind ${frame.kind} in place of a hello`);
    }
    return { streamKind, frame, decoder: this.#decoder };
  }

  /** Tells a stranger by the first byte that differs, without waiting for more. */
  #checkMagic(): void {
    const seen = this.#opening.subarray(0, this.#filled);
    for (let at = 0; at < Math.min(seen.length, MAGIC.length); at++) {
      if (seen[at] === MAGIC.charCodeAt(at)) continue;
      throw new WireError('wrong-magic', `not Holdfast's protocol${describeStranger(seen)}`);
    }
  }

  #readFixedPart(): StreamKind {
    const version = this.#opening[4]! | (this.#opening[5]! << 8);
    if (version !== PROTOCOL_VERSION) {
      const rule = `this node speaks ${PROTOCOL_VERSION}`;
      throw new WireError('wrong-version', `protocol version ${version}, ${rule}`);
    }
    const streamKind = STREAM_KINDS[this.#opening[6]! - 1];
    if (streamKind === undefined || this.#opening[7] !== 0) {
      const found = `${this.#opening[6]}.${this.#opening[7]}`;
      throw new WireError('unknown-stream-kind', `stream kind ${found} is unknown`);
    }
    return streamKind;
  }
}
