/**
 * Calls and returns of answered operations in the order of time, from which one is lifted out when
 * it is given its place, and put back when that place turns out wrong. (The list of Wing and Gong's
 * search, as Lowe has it: "Testing for linearizability", 2017.)
 */
import type { Operation } from '../history/operation.ts';

interface Event {
  readonly time: number;
  readonly isReturn: 0 | 1;
  /** The operation's place in the list. */
  readonly i: number;
}

/** Before the first, and after the last. */
const END = 0;

export class PendingList {
  /** Of every node, the operation whose call or return it is. */
  readonly #operationOf: Int32Array;
  readonly #isReturn: Uint8Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Of every operation, the node of its return; 0 when it never returned. */
  readonly #returnOf: Int32Array;

  /** `operations` by the time of their calls. What never returned is not in the list. */
  constructor(operations: readonly Operation[]) {
    const count = operations.length;
    const calls: Event[] = [];
    const returns: Event[] = [];
    for (const [i, { call, return: end }] of operations.entries()) {
      if (end === null) continue;
      calls.push({ time: call, isReturn: 0, i });
      returns.push({ time: end, isReturn: 1, i });
    }
    // At one time calls come first: intervals are closed, so those that touch are concurrent.
    const events = [...calls, ...returns].toSorted(
      (a, b) => a.time - b.time || a.isReturn - b.isReturn || a.i - b.i,
    );
    const size = events.length + 1;
    this.#operationOf = new Int32Array(size);
    this.#isReturn = new Uint8Array(size);
    this.#next = new Int32Array(size);
    this.#previous = new Int32Array(size);
    this.#returnOf = new Int32Array(count);
    events.forEach(({ isReturn, i }, at) => {
      const node = at + 1;
      this.#operationOf[node] = i;
      this.#isReturn[node] = isReturn;
      if (isReturn === 1) this.#returnOf[i] = node;
    });
    for (let node = 0; node < size; node++) {
      this.#next[node] = node + 1 === size ? END : node + 1;
      this.#previous[node] = node === 0 ? size - 1 : node - 1;
    }
  }

  /** The first node; 0 when there is none. */
  get first(): number {
    return this.#next[END]!;
  }

  /** The node after; 0 after the last. */
  after(node: number): number {
    return this.#next[node]!;
  }

  operationAt(node: number): number {
    return this.#operationOf[node]!;
  }

  isReturn(node: number): boolean {
    return this.#isReturn[node] === 1;
  }

  /** Takes out the call at `node`, and the return that belongs to it. */
  lift(node: number): void {
    this.#takeOut(node);
    this.#takeOut(this.#returnOf[this.operationAt(node)]!);
  }

  /** Undoes the last `lift` that is not undone yet. */
  putBack(node: number): void {
    this.#putIn(this.#returnOf[this.operationAt(node)]!);
    this.#putIn(node);
  }

  #takeOut(node: number): void {
    const previous = this.#previous[node]!;
    const next = this.#next[node]!;
    this.#next[previous] = next;
    this.#previous[next] = previous;
  }

  #putIn(node: number): void {
    this.#next[this.#previous[node]!] = node;
    this.#previous[this.#next[node]!] = node;
  }
}
