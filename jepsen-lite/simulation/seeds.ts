/** Ranges of seeds, as people write them. */

/** Both ends included. */
export interface SeedRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Of `7` or `1..200`.
 * @throws RangeError for anything else
 */
export function parseSeeds(text: string): SeedRange {
  const [, first, last = first] = /^(\d+)(?:\.\.(\d+))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === undefined || !Number.isSafeInteger(to) || from > to) {
    throw new RangeError(`a seed or a range of seeds such as 1..200, not '${text}'`);
  }
  return { from, to };
}
