/** A peer that greets properly and reads only the streams it is told to. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { encodeIdentity } from '../../../src/transport/identity-codec.ts';
import { decodePeerMessage } from '../../../src/transport/message-codec.ts';
import type { PeerMessage } from '../../../src/transport/index.ts';
import {
  acceptHello,
  FIRST_FREE_KIND,
  readHello,
  receiveFrames,
  type FrameDecoder,
  type StreamKind,
} from '../../../src/wire/index.ts';
import { identityOf, nodeId, systemEnvironment } from './recorder.ts';

export class StuckServer {
  readonly received: PeerMessage[] = [];
  /** Connections accepted so far, per stream kind. */
  readonly accepted: StreamKind[] = [];
  readonly #name: string;
  readonly #reads: (streamKind: StreamKind) => boolean;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #stuck: { readonly socket: Socket; readonly decoder: FrameDecoder }[] = [];

  constructor(name: string, reads: (streamKind: StreamKind) => boolean) {
    this.#name = name;
    this.#reads = reads;
    this.#server = createServer((socket) => this.#greet(socket));
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  /** Reads the streams it has left alone so far. */
  unstick(): void {
    for (const { socket, decoder } of this.#stuck) this.#read(socket, decoder);
    this.#stuck = [];
  }

  hangUpAll(): void {
    for (const socket of this.#sockets) socket.end();
    this.#sockets.clear();
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #greet(socket: Socket): void {
    this.#sockets.add(socket);
    const setTimer = systemEnvironment.setTimer.bind(systemEnvironment);
    const handshake = { timeoutMs: 10_000, setTimer };
    readHello(socket, handshake, (result) => {
      if (result.type === 'failed') return;
      const { hello, decoder } = result;
      socket.on('error', () => undefined);
      this.accepted.push(hello.streamKind);
      acceptHello(socket, hello.streamKind, encodeIdentity(identityOf(this.#name)));
      decoder.maxFrameBytes = Number.MAX_SAFE_INTEGER;
      if (this.#reads(hello.streamKind)) this.#read(socket, decoder);
      else this.#stuck.push({ socket, decoder });
    });
  }

  #read(socket: Socket, decoder: FrameDecoder): void {
    receiveFrames(socket, decoder, {
      frame: (frame) => {
        if (frame.kind < FIRST_FREE_KIND) return;
        this.received.push(decodePeerMessage(frame, nodeId('a'), nodeId(this.#name)));
      },
      closed: () => undefined,
    });
  }
}
