/** That all replicas apply the same commands, in one order, with the same results. */
import { crc32 } from 'node:zlib';
import type { Violations } from './violations.ts';

/** One command as it was first applied anywhere. */
interface AppliedCommand {
  /** Hash over this command, its result, and all before it. */
  readonly chain: number;
  /** Index of the command before; entries that are no commands lie between. */
  readonly before: number;
}

export class StateSafety {
  readonly #violations: Violations;
  readonly #commands = new Map<number, AppliedCommand>();
  /** Their indexes, ascending. */
  readonly #order: number[] = [];
  /** By node: the last command it applied. */
  readonly #positions = new Map<string, number>();
  /** By index of the last command in it: hash of a whole snapshot. */
  readonly #snapshots = new Map<number, string>();

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  /** Index of the last command the node's state has in it. */
  positionOf(node: string): number {
    return this.#positions.get(node) ?? 0;
  }

  /** The node begins with an empty state. */
  begun(node: string): void {
    this.#positions.set(node, 0);
  }

  /** True when no node applied it before. */
  applied(node: string, index: number, command: Uint8Array, result: Uint8Array): boolean {
    const before = this.positionOf(node);
    this.#positions.set(node, index);
    const start = ((this.#commands.get(before)?.chain ?? 0) ^ index) >>> 0;
    const chain = crc32(result, crc32(command, start));
    const known = this.#commands.get(index);
    if (known === undefined) {
      this.#first(node, index, { chain, before });
      return true;
    }
    if (known.before !== before) {
      const text = `${node} applied command ${index} after ${before}, others after ${known.before}`;
      this.#report('apply-order', text, node);
    } else if (known.chain !== chain) {
      const text = `${node} applied command ${index} with another content or result than others`;
      this.#report('state-equal', text, node);
    }
    return false;
  }

  #first(node: string, index: number, command: AppliedCommand): void {
    const last = this.#order.at(-1) ?? 0;
    if (index <= last) {
      this.#report('apply-order', `${node} applied command ${index}, which others skipped`, node);
    }
    this.#commands.set(index, command);
    this.#order.push(index);
  }

  /** The node's state is that of a snapshot at this log index. */
  restored(node: string, index: number): void {
    const order = this.#order;
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order[middle]! <= index) low = middle + 1;
      else high = middle;
    }
    this.#positions.set(node, low === 0 ? 0 : order[low - 1]!);
  }

  /** A snapshot of the node's state after the command at `position`. */
  snapshot(node: string, position: number, hash: string): void {
    const known = this.#snapshots.get(position);
    if (known === undefined) this.#snapshots.set(position, hash);
    else if (known !== hash) {
      const text = `the state of ${node} after command ${position} differs from that of others`;
      this.#report('state-equal', text, node);
    }
  }

  #report(check: string, message: string, node: string): void {
    this.#violations.report(check, message, [node]);
  }
}
