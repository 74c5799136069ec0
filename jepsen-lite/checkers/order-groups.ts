/** Operations whose order is known in part, against the order of time. */
import type { Operation } from '../history/operation.ts';
import { endOf } from './values.ts';

/** Two operations that must stand the other way round than time allows. */
export interface Inversion {
  /** Comes first by its effect, and was called only ... */
  readonly first: Operation;
  /** ... after this one, which comes later by its effect, had returned. */
  readonly second: Operation;
}

/**
 * Whether each operation can be given a moment between its call and its return such that every
 * group's come before those of the next; within a group any order will do. They can unless two of
 * them alone cannot.
 */
export function inversionOf(groups: Iterable<readonly Operation[]>): Inversion | undefined {
  let latest: Operation | undefined;
  for (const group of groups) {
    if (latest !== undefined) {
      const second = group.find((one) => endOf(one) < latest!.call);
      if (second !== undefined) return { first: latest, second };
    }
    for (const one of group) if (latest === undefined || one.call > latest.call) latest = one;
  }
  return undefined;
}
