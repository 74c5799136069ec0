/** What became of each node over time, for the report. */
import type { Changes, NodeDisk, NodeLife, NodeRole, NodeTimeline } from './run-record.ts';

/** Counters are noted at most this often. */
const GRAIN_MS = 5;

class ChangeList<T> {
  readonly #changes: [number, T][] = [];
  readonly #grainMs: number;

  constructor(grainMs: number) {
    this.#grainMs = grainMs;
  }

  note(atMs: number, value: T): void {
    const last = this.#changes.at(-1);
    if (last?.[1] === value) return;
    if (last !== undefined && this.#changes.length > 1 && atMs - last[0] < this.#grainMs) {
      last[1] = value;
    } else {
      this.#changes.push([atMs, value]);
    }
  }

  /** Without what became equal to the value before it when it was replaced. */
  list(): Changes<T> {
    return this.#changes.filter(([, value], i) => i === 0 || this.#changes[i - 1]![1] !== value);
  }
}

/** A node's values at one moment. */
export interface NodeMoment {
  readonly role: Exclude<NodeRole, 'outside'>;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly snapshot: number;
}

export class Timeline {
  readonly #node: string;
  readonly #life = new ChangeList<NodeLife>(0);
  readonly #role = new ChangeList<NodeRole>(0);
  readonly #disk = new ChangeList<NodeDisk>(0);
  readonly #term = new ChangeList<number>(GRAIN_MS);
  readonly #commit = new ChangeList<number>(GRAIN_MS);
  readonly #applied = new ChangeList<number>(GRAIN_MS);
  readonly #lastIndex = new ChangeList<number>(GRAIN_MS);
  readonly #snapshot = new ChangeList<number>(GRAIN_MS);

  constructor(node: string) {
    this.#node = node;
  }

  life(atMs: number, life: NodeLife): void {
    this.#life.note(atMs, life);
  }

  disk(atMs: number, disk: NodeDisk): void {
    this.#disk.note(atMs, disk);
  }

  /** It is no member: what it counts is of no interest to anybody. */
  outside(atMs: number): void {
    this.#role.note(atMs, 'outside');
  }

  moment(atMs: number, moment: NodeMoment): void {
    this.#role.note(atMs, moment.role);
    this.#term.note(atMs, moment.term);
    this.#commit.note(atMs, moment.commit);
    this.#applied.note(atMs, moment.applied);
    this.#lastIndex.note(atMs, moment.lastIndex);
    this.#snapshot.note(atMs, moment.snapshot);
  }

  toRecord(): NodeTimeline {
    return {
      node: this.#node,
      life: this.#life.list(),
      role: this.#role.list(),
      disk: this.#disk.list(),
      term: this.#term.list(),
      commit: this.#commit.list(),
      applied: this.#applied.list(),
      lastIndex: this.#lastIndex.list(),
      snapshot: this.#snapshot.list(),
    };
  }
}
