/**
 * That leadership is handed only to who holds the whole log, and that nothing is appended to it
 * meanwhile (thesis 3.10).
 */
import type { PeerMessage } from '../../src/transport/index.ts';
import type { Violations } from './violations.ts';

/** Of the sender of a message, as it leaves. */
export interface TransferView {
  readonly isLeader: boolean;
  readonly transferTo: string | undefined;
  readonly lastIndex: number;
}

/** What a leader had in its log when it was first seen handing over. */
interface Handover {
  readonly term: number;
  readonly to: string;
  readonly lastIndex: number;
}

export class TransferSafety {
  readonly #violations: Violations;
  readonly #handovers = new Map<string, Handover>();
  /** Nobody looks before anybody asked for a transfer, nor long afterwards: looking costs time. */
  #looksUntilMs = -Infinity;

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  /** Somebody asked for a transfer, which is over by then. */
  asked(untilMs: number): void {
    this.#looksUntilMs = untilMs;
  }

  /** `lastDurable`: of a node, the last entry on its disk. */
  sent(
    message: PeerMessage,
    nowMs: number,
    viewOf: (node: string) => TransferView | undefined,
    lastDurable: (node: string) => number,
  ): void {
    if (nowMs > this.#looksUntilMs) return;
    const { from, to, type } = message;
    if (type !== 'timeoutNowRequest' && type !== 'appendRequest') return;
    const view = viewOf(from);
    // Who gives leadership up for another reason has stepped down already.
    if (view === undefined || !view.isLeader || view.transferTo === undefined) {
      this.#handovers.delete(from);
      return;
    }
    if (type === 'timeoutNowRequest') {
      const held = lastDurable(to);
      // Nothing at all: its disk was replaced, which the leader has yet to find out.
      if (held === 0 || held >= view.lastIndex) return;
      const text = `${from} told ${to} to take over, which holds entries up to ${held}`;
      this.#report(`${text} of ${view.lastIndex}`, [from, to]);
      return;
    }
    this.#checkQuiet(message, view);
  }

  #checkQuiet(message: Extract<PeerMessage, { type: 'appendRequest' }>, view: TransferView): void {
    const { from, term, entries } = message;
    const known = this.#handovers.get(from);
    if (known === undefined || known.term !== term || known.to !== view.transferTo) {
      const { transferTo, lastIndex } = view;
      this.#handovers.set(from, { term, to: transferTo ?? '', lastIndex });
      return;
    }
    const added = entries.find(({ index, type }) => index > known.lastIndex && type === 'command');
    if (added === undefined) return;
    const text = `${from} took entry ${added.index} while it handed leadership to ${known.to}`;
    this.#report(text, [from, known.to]);
  }

  #report(message: string, nodes: readonly string[]): void {
    this.#violations.report('transfer', message, nodes);
  }
}
