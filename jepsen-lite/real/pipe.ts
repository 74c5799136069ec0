/** One direction of one proxied connection. */
import type { Socket } from 'node:net';
import type { LinkConditions } from './link-conditions.ts';

/** Beyond so many bytes under way the source is not read. */
const MAX_HELD_BYTES = 1 << 20;

interface Piece {
  readonly dueMs: number;
  /** Undefined: the source has ended. */
  readonly bytes: Buffer | undefined;
}

/** How a connection is spoiled by its next piece. */
export type Spoiling = 'frame' | 'corrupt';

export interface PipeParts {
  readonly source: Socket;
  readonly sink: Socket;
  readonly conditions: LinkConditions;
  readonly random: () => number;
  /** Both ends of the connection are to be gone. */
  readonly breakOff: () => void;
}

export class Pipe {
  readonly #parts: PipeParts;
  readonly #forget: () => void;
  #pieces: Piece[] = [];
  #heldBytes = 0;
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isFull = false;
  #isOver = false;
  /** What happens to the next piece. */
  spoiling: Spoiling | undefined = undefined;

  constructor(parts: PipeParts) {
    this.#parts = parts;
    const { source, sink, conditions } = parts;
    source.on('data', (bytes: Buffer) => this.#take(bytes));
    source.on('close', () => this.#take(undefined));
    sink.on('drain', () => {
      this.#isFull = false;
      this.#pass();
    });
    this.#forget = conditions.onChange(() => this.#pass());
  }

  end(): void {
    this.#isOver = true;
    this.#pieces = [];
    this.#forget();
    clearTimeout(this.#timer);
  }

  #take(bytes: Buffer | undefined): void {
    if (this.#isOver) return;
    const { source, conditions, random } = this.#parts;
    const { slowMs, weather, bytesPerMs } = conditions;
    const length = bytes?.length ?? 0;
    const delayMs = slowMs + weather.delayMs * random() + length / bytesPerMs;
    this.#lastDueMs = Math.max(performance.now() + delayMs, this.#lastDueMs);
    this.#pieces.push({ dueMs: this.#lastDueMs, bytes });
    this.#heldBytes += length;
    if (this.#heldBytes > MAX_HELD_BYTES) source.pause();
    this.#pass();
  }

  /** Hands on what is due. */
  #pass(): void {
    const { conditions, source } = this.#parts;
    clearTimeout(this.#timer);
    while (!this.#isOver && !this.#isFull && !conditions.isCut) {
      const [piece] = this.#pieces;
      if (piece === undefined) break;
      const leftMs = piece.dueMs - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#pass(), Math.ceil(leftMs));
        break;
      }
      this.#pieces.shift();
      this.#heldBytes -= piece.bytes?.length ?? 0;
      this.#deliver(piece.bytes);
    }
    if (this.#heldBytes <= MAX_HELD_BYTES / 2) source.resume();
  }

  #deliver(bytes: Buffer | undefined): void {
    const { sink, conditions, random, breakOff } = this.#parts;
    if (bytes === undefined) {
      breakOff();
      return;
    }
    const { loss, corrupt } = conditions.weather;
    const spoiling = this.spoiling;
    this.spoiling = undefined;
    if (spoiling === 'frame' || random() < loss) {
      sink.write(bytes.subarray(0, Math.floor(bytes.length * random())));
      breakOff();
      return;
    }
    if (spoiling === 'corrupt' || random() < corrupt) flipBit(bytes, random);
    this.#isFull = !sink.write(bytes);
  }
}

function flipBit(bytes: Buffer, random: () => number): void {
  const at = Math.floor(random() * bytes.length);
  bytes[at]! ^= 1 << Math.floor(random() * 8);
}
