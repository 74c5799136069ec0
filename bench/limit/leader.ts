/** The leader of the bare pipeline. */
import { connect, createServer, type Socket } from 'node:net';
import { openDisk, type Disk } from './disks.ts';
import { FrameCutter, framesOf, HEADER_BYTES } from './frames.ts';
import type { LimitSpec } from './limit-spec.ts';

/** What waits for a majority: whom to answer, by the numbers they gave. */
interface Batch {
  readonly number: number;
  readonly answers: ReadonlyMap<Socket, number[]>;
}

export class Leader {
  readonly #spec: LimitSpec;
  readonly #disk: Disk;
  readonly #followers: Socket[] = [];
  /** The last batch that each follower, and the own disk, has. */
  readonly #acknowledged: number[] = [];
  #own = 0;
  #number = 0;
  #entries: Uint8Array[] = [];
  #answers = new Map<Socket, number[]>();
  #unwritten: Uint8Array[] = [];
  #isWriting = false;
  #isScheduled = false;
  readonly #waiting: Batch[] = [];

  constructor(spec: LimitSpec, directory: string) {
    this.#spec = spec;
    this.#disk = openDisk(spec.disk, directory);
  }

  follow(port: number): void {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const place = this.#followers.push(socket) - 1;
    this.#acknowledged.push(0);
    const cutter = new FrameCutter((number) => {
      this.#acknowledged[place] = number;
      this.#answer();
    });
    socket.on('data', (chunk: Buffer) => cutter.push(chunk));
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

  #take(socket: Socket, number: number, bytes: Uint8Array): void {
    this.#entries.push(bytes);
    const numbers = this.#answers.get(socket);
    if (numbers === undefined) this.#answers.set(socket, [number]);
    else numbers.push(number);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  /** Everything of this turn is one batch. */
  #flush(): void {
    this.#isScheduled = false;
    const [entries, answers] = [this.#entries, this.#answers];
    [this.#entries, this.#answers] = [[], new Map()];
    const number = ++this.#number;
    this.#waiting.push({ number, answers });
    const size = entries.reduce((sum, entry) => sum + entry.length, 0);
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    header.writeUInt32LE(size, 0);
    header.writeUInt32LE(number, 4);
    const bytes = Buffer.concat([header, ...entries]);
    for (const follower of this.#followers) follower.write(bytes);
    this.#unwritten.push(...entries);
    if (!this.#isWriting) this.#write();
  }

  #write(): void {
    const [entries, number] = [this.#unwritten, this.#number];
    this.#unwritten = [];
    this.#isWriting = true;
    this.#disk(entries, () => {
      this.#isWriting = false;
      this.#own = number;
      this.#answer();
      if (this.#unwritten.length > 0) this.#write();
    });
  }

  /** All that a majority has. */
  #answer(): void {
    const known = [this.#own, ...this.#acknowledged].toSorted((a, b) => b - a);
    const through = known[Math.floor(known.length / 2)] ?? 0;
    while ((this.#waiting[0]?.number ?? Infinity) <= through) {
      for (const [socket, numbers] of this.#waiting.shift()!.answers) {
        socket.write(framesOf(numbers, this.#spec.replyBytes));
      }
    }
  }
}
