const SLAB_BYTES = 8 * 1024;
/** Longer arrays get memory of their own. */
const MAX_SHARED_BYTES = 1024;

let slab = new Uint8Array(SLAB_BYTES);
let used = 0;

/**
 * Zeroed bytes that nobody else has, for what lives briefly: short arrays are cut from a shared
 * slab, which lives until the last of them is gone. An array with memory of its own costs as much
 * to make as some hundred bytes to write.
 */
export function brieflyUsedBytes(count: number): Uint8Array {
  if (count > MAX_SHARED_BYTES) return new Uint8Array(count);
  if (used + count > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  used += count;
  return slab.subarray(used - count, used);
}
