/** A speaker that keeps no rules: raw sockets towards a node. */
import { connect, type Socket } from 'node:net';
import { encodeIdentity } from '../../../src/transport/identity-codec.ts';
import type { PeerIdentity } from '../../../src/transport/index.ts';
import {
  encodeHello,
  HelloReader,
  parseAddress,
  type StreamKind,
} from '../../../src/wire/index.ts';

export class Rogue {
  readonly socket: Socket;
  /** Everything the node said. */
  received: Buffer = Buffer.alloc(0);
  closed = false;

  constructor(address: string) {
    this.socket = connect(parseAddress(address));
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  send(bytes: Uint8Array | string): this {
    this.socket.write(bytes);
    return this;
  }

  /** Says a proper hello as this peer. */
  greet(identity: PeerIdentity, streamKind: StreamKind = 'peer'): this {
    return this.send(encodeHello({ streamKind, payload: encodeIdentity(identity) }));
  }

  /** The head of the node's answer to the hello, once it is there. */
  answer(): Uint8Array | undefined {
    return new HelloReader('helloReply').push(this.received)?.frame.head;
  }

  hangUp(): void {
    this.socket.destroy();
  }
}
