/** The search for an order that explains a history; see `linearizability.ts`. */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import type { Model } from './model.ts';
import { PendingList } from './pending-list.ts';
import { PlacedSet } from './placed-set.ts';

/** Places are those of the operations in the list that was searched. */
export type Found =
  | { readonly type: 'order'; readonly order: readonly number[] }
  | {
      readonly type: 'none';
      readonly message: string;
      readonly operations: readonly Operation[];
      /** The furthest it came, and what fits nowhere behind it. */
      readonly order: readonly number[];
      readonly stuck: number;
    }
  | { readonly type: 'gaveUp'; readonly order: readonly number[] };

/** Steps between two looks at the clock. */
const STEPS_PER_LOOK = 4096;
/** States remembered before it gives up for want of memory. */
const MOST_STATES = 4_000_000;
/** Operations shown around the one that has no place. */
const SHOWN_BEFORE = 8;

/** A call that was given its place, and what to go back to. */
interface Placed<State> {
  readonly node: number;
  readonly before: State;
}

/** `operations` by the time of their calls; `isOver` ends the search without a result. */
export function searchOrder<State>(
  model: Model<State>,
  operations: readonly Operation[],
  isOver: () => boolean,
): Found {
  return new OrderSearch(model, operations).run(isOver);
}

class OrderSearch<State> {
  readonly #model: Model<State>;
  readonly #operations: readonly Operation[];
  readonly #pending: PendingList;
  readonly #answered: PlacedSet;
  readonly #unanswered: PlacedSet;
  readonly #met = new Set<string>();
  readonly #stack: Placed<State>[] = [];
  #state: State;
  /** Answered operations without a place. */
  #left: number;
  /** The furthest it came: what had a place, in what state it was, and what had none. */
  readonly #furthest: number[] = [];
  #furthestState: State;
  #stuck = -1;
  /** So much of `#furthest` is the beginning of the stack still, and need not be copied again. */
  #shared = 0;

  constructor(model: Model<State>, operations: readonly Operation[]) {
    this.#model = model;
    this.#operations = operations;
    this.#pending = new PendingList(operations);
    this.#answered = new PlacedSet(operations.length);
    this.#unanswered = new PlacedSet(operations.length);
    this.#state = model.initial;
    this.#left = operations.filter((one) => one.return !== null).length;
    this.#furthestState = this.#state;
  }

  run(isOver: () => boolean): Found {
    let node = this.#pending.first;
    for (let steps = 1; this.#left > 0; steps++) {
      if (steps % STEPS_PER_LOOK === 0 && (isOver() || this.#met.size > MOST_STATES)) {
        return { type: 'gaveUp', order: this.#furthest };
      }
      if (this.#pending.isReturn(node)) {
        // It returned, and could be placed nowhere before that.
        this.#noteStuck(this.#pending.operationAt(node));
        const placed = this.#stack.pop();
        if (placed === undefined) return this.#contradiction();
        this.#shared = Math.min(this.#shared, this.#stack.length);
        this.#takeBack(placed);
        node = this.#pending.after(placed.node);
      } else {
        node = this.#tryPlace(node) ? this.#pending.first : this.#pending.after(node);
      }
    }
    return { type: 'order', order: this.#order() };
  }

  /** Gives the call its place next, unless that is impossible, idle, or was tried before. */
  #tryPlace(node: number): boolean {
    const i = this.#pending.operationAt(node);
    const operation = this.#operations[i]!;
    const next = this.#model.step(this.#state, operation);
    if (next === undefined) return false;
    const text = this.#model.textOf(next);
    const isAnswered = operation.return !== null;
    // What changes nothing, and need not have happened, need not be placed.
    if (!isAnswered && text === this.#model.textOf(this.#state)) return false;
    const set = isAnswered ? this.#answered : this.#unanswered;
    set.add(i);
    const met = `${this.#answered.text()}|${this.#unanswered.text()}|${text}`;
    if (this.#met.has(met)) {
      set.delete(i);
      return false;
    }
    this.#met.add(met);
    this.#stack.push({ node, before: this.#state });
    this.#state = next;
    this.#pending.lift(node);
    if (isAnswered) this.#left--;
    return true;
  }

  #takeBack({ node, before }: Placed<State>): void {
    const i = this.#pending.operationAt(node);
    this.#pending.putBack(node);
    this.#state = before;
    if (this.#operations[i]!.return === null) {
      this.#unanswered.delete(i);
    } else {
      this.#answered.delete(i);
      this.#left++;
    }
  }

  #noteStuck(stuck: number): void {
    if (this.#stuck !== -1 && this.#stack.length <= this.#furthest.length) return;
    for (let i = this.#shared; i < this.#stack.length; i++) {
      this.#furthest[i] = this.#pending.operationAt(this.#stack[i]!.node);
    }
    this.#shared = this.#stack.length;
    this.#furthestState = this.#state;
    this.#stuck = stuck;
  }

  #order(): number[] {
    return this.#stack.map(({ node }) => this.#pending.operationAt(node));
  }

  #contradiction(): Found {
    const [placed, stuck] = [this.#furthest, this.#stuck];
    const operation = this.#operations[stuck]!;
    const shown = [...placed.slice(-SHOWN_BEFORE), stuck].map((i) => this.#operations[i]!);
    const state = this.#model.textOf(this.#furthestState);
    const message =
      `no order explains it: after ${countOf(placed.length)} the state is ${state}, ` +
      `and ${describeOperation(operation)} fits nowhere`;
    const inTime = shown.toSorted((a, b) => a.call - b.call);
    return { type: 'none', message, operations: inTime, order: placed, stuck };
  }
}

function countOf(operations: number): string {
  if (operations === 0) return 'none';
  return operations === 1 ? 'one operation' : `${operations} operations`;
}
