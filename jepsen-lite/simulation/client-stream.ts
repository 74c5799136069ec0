/** One direction of a client's connection: bytes that take time, and may end in the middle. */
import { FrameDecoder, WireError, type Frame } from '../../src/wire/index.ts';
import { MalformedBytesError } from '../../src/base/index.ts';
import { withFlippedBit } from './frame-bytes.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

/** What happens to the next frame. */
export type FrameTrouble = 'frame' | 'corrupt';

export interface StreamOptions {
  readonly world: World;
  readonly random: () => number;
  readonly latencyMs: () => number;
  readonly receiver: Life;
  readonly frame: (frame: Frame) => void;
  /** The stream is of no more use; `damage` if because of a damaged frame. */
  readonly broken: (reason: string) => void;
  /** A damaged frame was taken for a good one. */
  readonly acceptedDamage: () => void;
}

export class ClientStream {
  readonly #options: StreamOptions;
  readonly #decoder = new FrameDecoder({ maxFrameBytes: Number.MAX_SAFE_INTEGER });
  #lastArrivalMs = 0;
  #isOver = false;
  trouble: FrameTrouble | undefined = undefined;
  /** Nothing arrives before. */
  silentUntilMs = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  end(): void {
    this.#isOver = true;
  }

  send(bytes: Uint8Array): void {
    const { random } = this.#options;
    const { trouble } = this;
    this.trouble = undefined;
    if (trouble === 'frame') {
      const part = bytes.subarray(0, 1 + Math.floor(random() * (bytes.length - 1)));
      this.#carry(() => this.#cutAfter(part));
    } else if (trouble === 'corrupt') {
      const damaged = withFlippedBit(bytes, random());
      this.#carry(() => this.#receive(damaged, true));
    } else {
      this.#carry(() => this.#receive(bytes, false));
    }
  }

  /** Runs it at the receiver, after all that was sent before. */
  #carry(arrive: () => void): void {
    const { world, latencyMs, receiver } = this.#options;
    const at = Math.max(this.#lastArrivalMs, this.silentUntilMs, world.now + latencyMs());
    this.#lastArrivalMs = at;
    world.at(at, () => {
      if (!this.#isOver) receiver.run(() => this.#isOver || arrive());
    });
  }

  #receive(bytes: Uint8Array, isDamaged: boolean): void {
    try {
      this.#decoder.push(bytes);
      const frame = this.#decoder.next();
      if (frame === undefined) {
        // A damaged length has the receiver wait for bytes that never come.
        this.#options.broken('a frame that waits for its end');
        return;
      }
      if (isDamaged) this.#options.acceptedDamage();
      this.#options.frame(frame);
    } catch (error) {
      if (!(error instanceof WireError || error instanceof MalformedBytesError)) throw error;
      this.#options.broken(error.message);
    }
  }

  #cutAfter(part: Uint8Array): void {
    try {
      this.#decoder.push(part);
      this.#decoder.next();
      this.#decoder.end();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#options.broken(error.message);
    }
  }
}
