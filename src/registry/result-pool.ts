import { ByteWriter } from '../base/index.ts';

const SLAB_BYTES = 64 * 1024;
/** Larger outputs get a buffer of their own; those near a slab's size keep the writer's. */
const MAX_POOLED = 4 * 1024;

/**
 * Makes byte arrays of short lives cheap: small ones are cut from a shared slab, which lives until
 * the last of them is gone.
 */
export class ResultPool {
  #writer = new ByteWriter(SLAB_BYTES);
  #slab = new Uint8Array(SLAB_BYTES);
  #used = 0;

  /** What `write` writes, as bytes that stay as they are. */
  encode<T>(write: (writer: ByteWriter, value: T) => void, value: T): Uint8Array {
    write(this.#writer.reset(), value);
    const written = this.#writer.finish();
    if (written.length > SLAB_BYTES / 2) {
      this.#writer = new ByteWriter(SLAB_BYTES);
      return written;
    }
    if (written.length > MAX_POOLED) return written.slice();
    if (this.#used + written.length > SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const from = this.#used;
    this.#slab.set(written, from);
    this.#used += written.length;
    return this.#slab.subarray(from, this.#used);
  }
}
