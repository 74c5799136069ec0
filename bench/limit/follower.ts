/** A follower of the bare pipeline. */
import { createServer, type Socket } from 'node:net';
import { openDisk, type Disk } from './disks.ts';
import { FrameCutter, framesOf } from './frames.ts';
import type { LimitSpec } from './limit-spec.ts';

export class Follower {
  readonly #spec: LimitSpec;
  readonly #disk: Disk;
  #entries: Uint8Array[] = [];
  #number = 0;
  #isWriting = false;
  #isScheduled = false;

  constructor(spec: LimitSpec, directory: string) {
    this.#spec = spec;
    this.#disk = openDisk(spec.disk, directory);
  }

  listen(onPort: (port: number) => void): void {
    const server = createServer({ noDelay: true }, (socket) => {
      const cutter = new FrameCutter((number, bytes) => this.#take(socket, number, bytes));
      socket.on('data', (chunk: Buffer) => cutter.push(chunk));
      socket.on('error', () => socket.destroy());
    });
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address !== null && typeof address === 'object') onPort(address.port);
    });
  }

  #take(socket: Socket, number: number, batch: Uint8Array): void {
    const size = this.#spec.requestBytes;
    for (let at = 0; at < batch.length; at += size) {
      this.#entries.push(batch.subarray(at, at + size));
    }
    this.#number = number;
    if (this.#isScheduled || this.#isWriting) return;
    this.#isScheduled = true;
    setImmediate(() => this.#write(socket));
  }

  #write(socket: Socket): void {
    const [entries, number] = [this.#entries, this.#number];
    this.#entries = [];
    this.#isScheduled = false;
    this.#isWriting = true;
    this.#disk(entries, () => {
      this.#isWriting = false;
      socket.write(framesOf([number], 0));
      if (this.#entries.length > 0) this.#write(socket);
    });
  }
}
