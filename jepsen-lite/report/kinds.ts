/** Which colour a call has: the same in every report, so that a reader learns them once. */
export const KIND_COLORS = 12;

const KNOWN: Readonly<Record<string, number>> = {
  get: 0,
  read: 0,
  range: 0,
  put: 1,
  write: 1,
  add: 1,
  append: 1,
  lock: 1,
  cas: 2,
  txn: 2,
  transfer: 2,
  renew: 2,
  delete: 3,
  unlock: 3,
};
const FIRST_FREE = 4;

/** A place among the colours for each name; unknown ones take the rest in turn. */
export function kindColors(names: readonly string[]): number[] {
  let next = 0;
  return names.map((name) =>
    Object.hasOwn(KNOWN, name) ? KNOWN[name]! : FIRST_FREE + (next++ % (KIND_COLORS - FIRST_FREE)),
  );
}
