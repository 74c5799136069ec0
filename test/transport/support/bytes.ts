export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The bytes in pieces, cut at these offsets (in any order, beyond the end allowed). */
export function cutAt(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const cuts = [0, ...offsets.filter((at) => at < bytes.length), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return cuts.slice(1).map((end, i) => bytes.slice(cuts[i], end));
}
