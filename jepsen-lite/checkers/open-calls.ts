/**
 * Calls of unknown outcome, some of which have a place already. Those of one kind are
 * interchangeable, so only the earliest without a place need be tried: in any order that places a
 * later one here the two can change places, as both had been called by now and neither has a return
 * to be in time for. A kind's first calls are then always those with a place, so that equal sets of
 * them are equal counts of each kind.
 */
import type { Operation } from '../history/operation.ts';
import type { Model } from './model.ts';
import { PlacedSet } from './placed-set.ts';

/** Where they stand in the list that is searched, by the time of their calls. */
type Kind = readonly number[];

export class OpenCalls {
  /** By the time of their first calls. */
  readonly #kinds: readonly Kind[];
  /** Of each kind, so many have a place. */
  readonly #taken: Int32Array;
  readonly #operations: readonly Operation[];
  /** Numbered among each other, so that the set's text is short. */
  readonly #numbers = new Map<number, number>();
  readonly #placed: PlacedSet;

  /** `operations` by the time of their calls. */
  constructor(operations: readonly Operation[], model: Pick<Model<unknown>, 'kindOf'>) {
    const kinds = new Map<string | number, number[]>();
    for (const [i, operation] of operations.entries()) {
      if (operation.return !== null) continue;
      this.#numbers.set(i, this.#numbers.size);
      const name = model.kindOf?.(operation) ?? i;
      const kind = kinds.get(name);
      if (kind === undefined) kinds.set(name, [i]);
      else kind.push(i);
    }
    this.#kinds = [...kinds.values()];
    this.#operations = operations;
    this.#taken = new Int32Array(this.#kinds.length);
    this.#placed = new PlacedSet(this.#numbers.size);
  }

  /** Whether there is such a kind, and its first call came by then; if not, no later kind's did. */
  isCalled(kind: number, time: number): boolean {
    const first = this.#kinds[kind]?.[0];
    return first !== undefined && this.#operations[first]!.call <= time;
  }

  /** The only one of a kind that need be tried; undefined when none is left that came by then. */
  earliest(kind: number, time: number): number | undefined {
    const i = this.#kinds[kind]![this.#taken[kind]!];
    return i !== undefined && this.#operations[i]!.call <= time ? i : undefined;
  }

  /** The earliest of the kind has its place. */
  take(kind: number): void {
    const i = this.#kinds[kind]![this.#taken[kind]!++]!;
    this.#placed.add(this.#numbers.get(i)!);
  }

  /** The last of the kind that got a place has none. */
  giveBack(kind: number): void {
    const i = this.#kinds[kind]![--this.#taken[kind]!]!;
    this.#placed.delete(this.#numbers.get(i)!);
  }

  /** Equal texts exactly when as many of each kind have a place. */
  text(): string {
    return this.#placed.text();
  }
}
