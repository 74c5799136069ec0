const SLAB_BYTES = 64 * 1024;
/** Longer arrays get memory of their own. */
const MAX_SHARED = 4 * 1024;

let slab = new Uint8Array(SLAB_BYTES);
let used = 0;

/**
 * Zeroed bytes that nobody else has. Short arrays are cut from a shared slab, which lives until the
 * last of them is gone: for what lives briefly, or goes together with what was made around it. An
 * array with memory of its own costs as much as writing some hundred bytes.
 */
export function allocateBytes(count: number): Uint8Array {
  if (count > MAX_SHARED) return new Uint8Array(count);
  if (used + count > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  used += count;
  return slab.subarray(used - count, used);
}
