/** Options are given by name, and a name that is misspelt would be an option without effect. */
import { HoldfastError } from './errors.ts';

/** Every name that an object of options may have. */
export type OptionNames = ReadonlySet<string>;

/** The names of `Options`: all of them, and no other, or it does not compile. */
export function optionNames<Options extends object>(
  names: Readonly<Record<keyof Options & string, true>>,
): OptionNames {
  return new Set(Object.keys(names));
}

/**
 * Looks at the names alone; what they stand for is checked where it is used.
 * @param what whose options they are, as its caller knows it
 * @throws HoldfastError `invalid-argument` for a name that is not known, with the one that was
 * meant, and for anything but an object
 */
export function refuseUnknownOptions(what: string, options: unknown, known: OptionNames): void {
  if (typeof options !== 'object' || options === null) {
    throw new HoldfastError('invalid-argument', `${what} takes an object of options`);
  }
  // In the way of every call: nothing is made unless a name is wrong.
  for (const name in options) {
    if (known.has(name)) continue;
    const unknown = Object.keys(options).filter((one) => !known.has(one));
    const rule = unknownOptions(unknown.length > 0 ? unknown : [name], [...known]);
    throw new HoldfastError('invalid-argument', `${what}: ${rule}`);
  }
}

/** The rule that unknown names break: each with the known one it is like, or all there are. */
export function unknownOptions(unknown: readonly string[], known: readonly string[]): string {
  const meant = unknown.map((name) => nearestName(name, known));
  const names = unknown.map((name, i) => {
    return meant[i] === undefined ? `'${name}'` : `'${name}' (did you mean '${meant[i]}'?)`;
  });
  const rule = `there is no option ${names.join(', ')}`;
  const isListed = meant.includes(undefined) && known.length <= MOST_LISTED;
  return isListed ? `${rule}; there are ${known.join(', ')}` : rule;
}

/** A name that begins with another differs by a unit, say: of so many letters at least. */
const LEAST_SHARED = 3;
/** Where there are more, nobody reads them all. */
const MOST_LISTED = 20;

/** The known name that somebody may have meant by this one. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const ranked = known.map((one) => ({ one, edits: editsBetween(lower, one.toLowerCase()) }));
  ranked.sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  if (best !== undefined && best.edits <= Math.max(1, Math.floor(name.length / 3))) return best.one;
  return known.find((one) => {
    const [short, long] = [lower, one.toLowerCase()].toSorted((a, b) => a.length - b.length);
    return short!.length >= LEAST_SHARED && long!.startsWith(short!);
  });
}

/** Letters to add, leave out, change, or exchange with their neighbour (Damerau, 1964). */
function editsBetween(a: string, b: string): number {
  let [beforeLast, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, change);
      const isExchange = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isExchange) edits = Math.min(edits, beforeLast[j - 2]! + 1);
      row.push(edits);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
