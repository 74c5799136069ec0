/**
 * The order that revisions tell, filled with what tells of none: a write of unknown outcome goes
 * where something else cannot be explained without it, and what only looked goes where it saw what
 * it says. Neither is tried in every way, so no order found says nothing.
 */
import type { Operation } from '../history/operation.ts';
import type { Model } from './model.ts';

export interface WitnessParts {
  /** In the order of their revisions. */
  readonly dated: readonly Operation[];
  /** Answered without a revision, by the time of their calls. */
  readonly undated: readonly Operation[];
  /** Of unknown outcome, by the time of their calls. */
  readonly open: readonly Operation[];
}

/** So many writes of unknown outcome, the latest first, are put before what fits nowhere. */
const MOST_TOGETHER = 3;
/** Before it is given up. */
const MOST_TRIED = 20_000;

export function orderWithUnknown<State>(
  model: Model<State>,
  parts: WitnessParts,
): readonly Operation[] | undefined {
  return new Filling(model, parts).run();
}

class Filling<State> {
  readonly #model: Model<State>;
  readonly #dated: readonly Operation[];
  /** Of each place among the dated: before this all that is left there had not yet returned. */
  readonly #firstReturn: readonly number[];
  readonly #open: Operation[];
  /** Without a place yet, and those of them that were called already. */
  readonly #coming: Operation[];
  #waiting: Operation[] = [];
  readonly #order: Operation[] = [];
  #state: State;
  #triesLeft = 0;

  constructor(model: Model<State>, { dated, undated, open }: WitnessParts) {
    this.#model = model;
    this.#dated = dated;
    this.#open = open.toReversed();
    this.#coming = undated.toReversed();
    this.#state = model.initial;
    const firstReturn: number[] = [Infinity];
    for (const { return: end } of dated.toReversed()) {
      firstReturn.push(Math.min(firstReturn.at(-1)!, end ?? Infinity));
    }
    this.#firstReturn = firstReturn.toReversed();
  }

  run(): readonly Operation[] | undefined {
    for (const [i, operation] of this.#dated.entries()) {
      if (!this.#placeWaiting(this.#firstReturn[i]!, operation.call)) return undefined;
      if (!this.#place(operation, this.#firstReturn[i]!)) return undefined;
    }
    return this.#placeWaiting(Infinity, Infinity) ? this.#order : undefined;
  }

  /** What only looked is placed as soon as it fits, and all before what comes at `before`. */
  #placeWaiting(calledBy: number, before: number): boolean {
    while (this.#coming.length > 0 && this.#coming.at(-1)!.call <= calledBy) {
      this.#waiting.push(this.#coming.pop()!);
    }
    const left: Operation[] = [];
    for (const operation of this.#waiting) {
      const isLate = operation.return! < before;
      const fits =
        this.#model.readsOnly(operation) && this.#model.step(this.#state, operation) !== undefined;
      if (!isLate && !fits) left.push(operation);
      else if (!this.#place(operation, calledBy)) return false;
    }
    this.#waiting = left;
    return true;
  }

  /** With writes of unknown outcome before it, as few as will do. */
  #place(operation: Operation, calledBy: number): boolean {
    this.#triesLeft = MOST_TRIED;
    for (let count = 0; count <= MOST_TOGETHER; count++) {
      if (this.#placeBehind(count, operation, calledBy)) return true;
    }
    return false;
  }

  /** Behind so many of them. */
  #placeBehind(count: number, operation: Operation, calledBy: number): boolean {
    if (count === 0) return this.#step(operation);
    const before = this.#state;
    for (let i = 0; i < this.#open.length && this.#triesLeft > 0; i++) {
      const unknown = this.#open[i]!;
      if (unknown.call > calledBy) continue;
      this.#triesLeft -= 1;
      if (!this.#step(unknown)) continue;
      this.#open.splice(i, 1);
      if (this.#placeBehind(count - 1, operation, calledBy)) return true;
      this.#open.splice(i, 0, unknown);
      this.#order.pop();
      this.#state = before;
    }
    return false;
  }

  #step(operation: Operation): boolean {
    const next = this.#model.step(this.#state, operation);
    if (next === undefined) return false;
    this.#state = next;
    this.#order.push(operation);
    return true;
  }
}
