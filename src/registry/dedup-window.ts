import { unreachable } from '../base/index.ts';
import { valueBytes } from './key-version.ts';
import type {
  KeyView,
  RegistryErrorCode,
  RegistryLimits,
  RegistryResult,
  TxnBranchResult,
} from './types.ts';

const FIRST_CAPACITY = 8;
/** What one kept answer is taken to cost beside its contents. */
const ANSWER_BYTES = 96;
/** A holder in it, or the result of one operation of a transaction. */
const PART_BYTES = 16;

/** How a sequence number stands towards the window. */
export type Verdict =
  | { readonly type: 'new' }
  | { readonly type: 'answered'; readonly result: RegistryResult }
  | { readonly type: 'refused'; readonly code: RegistryErrorCode; readonly message: string };

const NEW: Verdict = { type: 'new' };

/**
 * The answers one session may still ask for again. Sequence numbers up to `floor` are acknowledged
 * and forgotten; above it a ring holds one place per number. Kept as results, not bytes, so that
 * they share values with the store.
 */
export class DedupWindow {
  #ring: (RegistryResult | undefined)[] = [];
  /** What each answer in the ring costs, lest old ones be looked at once more to forget them. */
  #costs: number[] = [];
  #floor = 0;
  /** The highest number ever answered. */
  #highest = 0;
  #bytes = 0;
  /** A snapshot reads this window: the next change must go to a copy. */
  shared = false;

  get floor(): number {
    return this.#floor;
  }

  /** What a change may be made to: this window, or a copy when a snapshot still reads it. */
  writable(): DedupWindow {
    if (!this.shared) return this;
    const copy = new DedupWindow();
    copy.#ring = this.#ring.slice();
    copy.#costs = this.#costs.slice();
    copy.#floor = this.#floor;
    copy.#highest = this.#highest;
    copy.#bytes = this.#bytes;
    return copy;
  }

  /** Forgets answers up to `acknowledged`. */
  acknowledge(acknowledged: number): void {
    if (acknowledged <= this.#floor) return;
    const last = Math.min(acknowledged, this.#highest);
    for (let sequence = this.#floor + 1; sequence <= last; sequence++) {
      const place = sequence % this.#ring.length;
      this.#bytes -= this.#costs[place]!;
      this.#costs[place] = 0;
      this.#ring[place] = undefined;
    }
    this.#floor = acknowledged;
    this.#highest = Math.max(this.#highest, acknowledged);
  }

  judge(sequence: number, limits: RegistryLimits): Verdict {
    if (sequence <= this.#floor) {
      const message = `sequence ${sequence} was acknowledged (all up to ${this.#floor} are)`;
      return { type: 'refused', code: 'sequence-too-old', message };
    }
    const result = this.#get(sequence);
    if (result !== undefined) return { type: 'answered', result };
    if (sequence > this.#floor + limits.maxWindow) {
      const message =
        `sequence ${sequence} is more than ${limits.maxWindow} (maxWindow) above ` +
        `${this.#floor}, the last acknowledged`;
      return { type: 'refused', code: 'overloaded', message };
    }
    if (this.#bytes >= limits.maxWindowBytes) {
      const message =
        `unacknowledged answers of the session exceed ${limits.maxWindowBytes} bytes ` +
        '(maxWindowBytes)';
      return { type: 'refused', code: 'overloaded', message };
    }
    return NEW;
  }

  /** Keeps the answer to a number that was judged new. */
  record(sequence: number, result: RegistryResult): void {
    if (sequence > this.#floor + this.#ring.length) this.#grow(sequence);
    const place = sequence % this.#ring.length;
    const cost = costOf(result);
    this.#ring[place] = result;
    this.#costs[place] = cost;
    this.#bytes += cost;
    if (sequence > this.#highest) this.#highest = sequence;
  }

  /** Kept answers in the order of their numbers. */
  *answers(): Generator<readonly [sequence: number, result: RegistryResult]> {
    for (let sequence = this.#floor + 1; sequence <= this.#highest; sequence++) {
      const result = this.#get(sequence);
      if (result !== undefined) yield [sequence, result];
    }
  }

  #get(sequence: number): RegistryResult | undefined {
    const capacity = this.#ring.length;
    return sequence > this.#floor + capacity ? undefined : this.#ring[sequence % capacity];
  }

  #grow(sequence: number): void {
    let capacity = Math.max(this.#ring.length, FIRST_CAPACITY);
    while (sequence > this.#floor + capacity) capacity *= 2;
    const ring = Array.from<RegistryResult | undefined>({ length: capacity });
    const costs = Array.from({ length: capacity }, () => 0);
    for (const [kept, result] of this.answers()) {
      ring[kept % capacity] = result;
      costs[kept % capacity] = this.#costs[kept % this.#ring.length]!;
    }
    this.#ring = ring;
    this.#costs = costs;
  }
}

/** By contents alone: the same on a replica that got the answer from a snapshot. */
function costOf(result: RegistryResult): number {
  switch (result.type) {
    case 'key':
      return ANSWER_BYTES + bytesOfView(result.view);
    case 'txn':
      return ANSWER_BYTES + bytesOfBranch(result);
    case 'error':
      return ANSWER_BYTES + result.message.length;
    case 'stored':
      return ANSWER_BYTES + bytesOfView({ record: result.record, lock: undefined });
    case 'connections':
      return ANSWER_BYTES + result.connections.length * PART_BYTES;
    case 'lock':
    case 'session':
    case 'done':
    case 'table':
    case 'map':
    case 'treeLocked':
    case 'treeRefused':
      return ANSWER_BYTES;
    default:
      return unreachable(result);
  }
}

function bytesOfView({ record }: KeyView): number {
  return record === undefined ? 0 : record.key.length + record.node.length + valueBytes(record);
}

function bytesOfBranch({ results }: TxnBranchResult): number {
  let bytes = 0;
  for (const result of results) {
    bytes += PART_BYTES;
    if (result.type === 'txn') bytes += bytesOfBranch(result);
    else if (result.type === 'range') {
      for (const view of result.views) bytes += PART_BYTES + bytesOfView(view);
    } else if (result.type !== 'deleteRange' && result.type !== 'count') {
      bytes += bytesOfView(result.view);
    }
  }
  return bytes;
}
