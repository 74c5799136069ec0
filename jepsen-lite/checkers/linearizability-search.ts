/** The search for an order that explains a history; see `linearizability.ts`. */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import type { Model } from './model.ts';
import { OpenCalls } from './open-calls.ts';
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

/** Instead of the kind of an open call. */
const ANSWERED = -1;

/** A call that was given its place, and what to go back to. */
interface Placed<State> {
  readonly operation: number;
  /** Which of the open calls it is one of. */
  readonly kind: number;
  /** Of an answered call; else of the first return, which an open one has to come before. */
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
  readonly #open: OpenCalls;
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
    this.#open = new OpenCalls(operations, model);
    this.#state = model.initial;
    this.#left = operations.filter((one) => one.return !== null).length;
    this.#furthestState = this.#state;
  }

  run(isOver: () => boolean): Found {
    let node = this.#pending.first;
    let kind = 0;
    for (let steps = 1; this.#left > 0; steps++) {
      if (steps % STEPS_PER_LOOK === 0 && (isOver() || this.#met.size > MOST_STATES)) {
        return { type: 'gaveUp', order: this.#furthest };
      }
      if (!this.#pending.isReturn(node)) {
        node = this.#tryAnswered(node) ? this.#pending.first : this.#pending.after(node);
        continue;
      }
      const returned = this.#pending.operationAt(node);
      // Calls of unknown outcome have time: those that are not missed are left to the end.
      if (this.#open.isCalled(kind, this.#operations[returned]!.return!)) {
        if (this.#tryOpen(kind, node)) [node, kind] = [this.#pending.first, 0];
        else kind++;
        continue;
      }
      // It returned, and could be placed nowhere before that.
      this.#noteStuck(returned);
      const placed = this.#stack.pop();
      if (placed === undefined) return this.#contradiction();
      this.#shared = Math.min(this.#shared, this.#stack.length);
      this.#takeBack(placed);
      if (placed.kind === ANSWERED) [node, kind] = [this.#pending.after(placed.node), 0];
      else [node, kind] = [placed.node, placed.kind + 1];
    }
    return { type: 'order', order: this.#order() };
  }

  #tryAnswered(node: number): boolean {
    const operation = this.#pending.operationAt(node);
    return this.#tryPlace({ node, kind: ANSWERED, operation, before: this.#state });
  }

  #tryOpen(kind: number, node: number): boolean {
    const returned = this.#operations[this.#pending.operationAt(node)]!;
    const operation = this.#open.earliest(kind, returned.return!);
    if (operation === undefined) return false;
    return this.#tryPlace({ node, kind, operation, before: this.#state });
  }

  /** Gives the call its place next, unless that is impossible, idle, or was tried before. */
  #tryPlace(placed: Placed<State>): boolean {
    const operation = this.#operations[placed.operation]!;
    const next = this.#model.step(this.#state, operation);
    if (next === undefined) return false;
    const text = this.#model.textOf(next);
    // What changes nothing, and need not have happened, need not be placed.
    if (placed.kind !== ANSWERED && text === this.#model.textOf(this.#state)) return false;
    if (this.#hidesTheLast(operation, text)) return false;
    this.#take(placed);
    const met = `${this.#answered.text()}|${this.#open.text()}|${text}`;
    if (this.#met.has(met)) {
      this.#giveBack(placed);
      return false;
    }
    this.#met.add(met);
    this.#stack.push(placed);
    this.#state = next;
    if (placed.kind === ANSWERED) {
      this.#pending.lift(placed.node);
      this.#left--;
    }
    return true;
  }

  /**
   * Whether a call of unknown outcome, placed last, need not be there: without it `operation` leads
   * to the same state, which is tried in its turn, with one more call left to the end.
   */
  #hidesTheLast(operation: Operation, text: string): boolean {
    const last = this.#stack.at(-1);
    if (last === undefined || last.kind === ANSWERED) return false;
    const without = this.#model.step(last.before, operation);
    return without !== undefined && this.#model.textOf(without) === text;
  }

  #takeBack(placed: Placed<State>): void {
    this.#state = placed.before;
    this.#giveBack(placed);
    if (placed.kind !== ANSWERED) return;
    this.#pending.putBack(placed.node);
    this.#left++;
  }

  #take({ kind, operation }: Placed<State>): void {
    if (kind === ANSWERED) this.#answered.add(operation);
    else this.#open.take(kind);
  }

  #giveBack({ kind, operation }: Placed<State>): void {
    if (kind === ANSWERED) this.#answered.delete(operation);
    else this.#open.giveBack(kind);
  }

  #noteStuck(stuck: number): void {
    if (this.#stuck !== -1 && this.#stack.length <= this.#furthest.length) return;
    for (let i = this.#shared; i < this.#stack.length; i++) {
      this.#furthest[i] = this.#stack[i]!.operation;
    }
    this.#shared = this.#stack.length;
    this.#furthestState = this.#state;
    this.#stuck = stuck;
  }

  #order(): number[] {
    return this.#stack.map(({ operation }) => operation);
  }

  #contradiction(): Found {
    const [placed, stuck] = [this.#furthest, this.#stuck];
    const operation = this.#operations[stuck]!;
    const shown = [...placed.slice(-SHOWN_BEFORE), stuck].map((i) => this.#operations[i]!);
    const state = this.#model.textOf(this.#furthestState);
    const message =
      `no order explains it: ${whenPlaced(placed.length)} the state is ${state}, ` +
      `and ${describeOperation(operation)} fits nowhere`;
    const inTime = shown.toSorted((a, b) => a.call - b.call);
    return { type: 'none', message, operations: inTime, order: placed, stuck };
  }
}

function whenPlaced(operations: number): string {
  if (operations === 0) return 'before any operation';
  return operations === 1 ? 'after one operation' : `after ${operations} operations`;
}
