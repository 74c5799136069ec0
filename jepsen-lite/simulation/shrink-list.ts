/** The smallest part of a list that still shows something: delta debugging. */

/**
 * Leaves out what is not needed, in ever smaller pieces, until no single element can go (`ddmin` of
 * Zeller and Hildebrandt, 2002). What is left keeps its order.
 *
 * @param shows whether this part of the list still shows it; the whole list does
 * @param mostPieces no smaller pieces are tried: what is left may be left out in part
 */
export async function shrinkList<T>(
  list: readonly T[],
  shows: (part: readonly T[]) => Promise<boolean>,
  mostPieces: number = Infinity,
): Promise<readonly T[]> {
  if (list.length === 0 || (await shows([]))) return [];
  let left = list;
  let pieces = 2;
  while (left.length > 1) {
    const smaller = await withoutAPiece(left, pieces, shows);
    if (smaller !== undefined) {
      left = smaller;
      pieces = Math.max(pieces - 1, 2);
    } else if (pieces < Math.min(left.length, mostPieces)) {
      pieces = Math.min(2 * pieces, left.length, mostPieces);
    } else {
      break;
    }
  }
  return left;
}

/** From the end: what came last is most often what came after it had happened. */
async function withoutAPiece<T>(
  list: readonly T[],
  pieces: number,
  shows: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[] | undefined> {
  for (let piece = pieces - 1; piece >= 0; piece--) {
    const from = Math.floor((piece * list.length) / pieces);
    const to = Math.floor(((piece + 1) * list.length) / pieces);
    const rest = [...list.slice(0, from), ...list.slice(to)];
    if (await shows(rest)) return rest;
  }
  return undefined;
}
