/** Binary searches over what is sorted by time. */

/** How many of the first `length` places hold a value below `limit`; `numberAt` never falls. */
export function countBelow(
  length: number,
  limit: number,
  numberAt: (place: number) => number,
): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numberAt(middle) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a list of changes says at a moment; undefined before its first. */
export function valueAt<T>(
  changes: readonly (readonly [atMs: number, value: T])[],
  atMs: number,
): T | undefined {
  const place = placeAt(changes, atMs);
  return place < 0 ? undefined : changes[place]![1];
}

/** The place of the change that holds at a moment; -1 before the first. */
export function placeAt(
  changes: readonly (readonly [atMs: number, value: unknown])[],
  atMs: number,
): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (changes[middle]![0] <= atMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
