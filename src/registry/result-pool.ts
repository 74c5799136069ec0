import { ByteWriter } from '../base/index.ts';

const SLAB_BYTES = 64 * 1024;
/** Larger outputs get a buffer of their own. */
const MAX_POOLED = 4 * 1024;

/**
 * Makes byte arrays of short lives cheap: small ones are cut from a shared slab, which lives until
 * the last of them is gone.
 */
export class ResultPool {
  #writer = new ByteWriter(SLAB_BYTES);

  /** What `write` writes, as bytes that stay as they are. */
  encode<T>(write: (writer: ByteWriter, value: T) => void, value: T): Uint8Array {
    if (this.#writer.room < MAX_POOLED) this.#writer = new ByteWriter(SLAB_BYTES);
    const writer = this.#writer;
    const from = writer.length;
    write(writer, value);
    const written = writer.finishFrom(from);
    if (written.length <= MAX_POOLED) return written;
    const hasGrown = writer.length > SLAB_BYTES;
    if (hasGrown) this.#writer = new ByteWriter(SLAB_BYTES);
    else writer.cutTo(from);
    // What outgrew the slab has a buffer little larger than itself, if it was alone in there.
    return hasGrown && from === 0 ? written : written.slice();
  }
}
