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
  /** By its own clock. */
  readonly nowMs: number;
}

/** What a leader had in its log when it was first seen handing over. */
interface Handover {
  readonly term: number;
  readonly to: string;
  readonly lastIndex: number;
  readonly sinceMs: number;
}

/**
 * A handover that takes an election timeout is given up, and the next may begin at once, to the
 * same node: for so much of that time it is certainly the same one.
 */
const SURELY_THE_SAME = 0.5;

type LeadersMessage = Extract<
  PeerMessage,
  { type: 'timeoutNowRequest' | 'appendRequest' | 'heartbeatRequest' }
>;

/** What only leaders send, and often. */
function isLeaders(message: PeerMessage): message is LeadersMessage {
  const { type } = message;
  return type === 'timeoutNowRequest' || type === 'appendRequest' || type === 'heartbeatRequest';
}

export class TransferSafety {
  readonly #violations: Violations;
  readonly #electionTimeoutMs: number;
  readonly #handovers = new Map<string, Handover>();
  /** The latest term any leader was heard in. */
  #term = 0;
  /** Nodes whose disks were put back to an earlier state, with `#term` as of then. */
  readonly #wentBack = new Map<string, number>();
  /** Nobody looks before anybody asked for a transfer, nor long afterwards: looking costs time. */
  #looksUntilMs = -Infinity;

  constructor(violations: Violations, electionTimeoutMs: number) {
    this.#violations = violations;
    this.#electionTimeoutMs = electionTimeoutMs;
  }

  /** Somebody asked for a transfer, which is over by then. */
  asked(untilMs: number): void {
    this.#looksUntilMs = untilMs;
  }

  /** The node holds less than it has acknowledged; only the leader of a later term asks anew. */
  wentBack(node: string): void {
    this.#wentBack.set(node, this.#term);
  }

  /** `lastDurable`: of a node, the last entry on its disk. */
  sent(
    message: PeerMessage,
    nowMs: number,
    viewOf: (node: string) => TransferView | undefined,
    lastDurable: (node: string) => number,
  ): void {
    if (!isLeaders(message)) return;
    const { from, to, term } = message;
    if (term > this.#term) this.#term = term;
    if (nowMs > this.#looksUntilMs) return;
    const view = viewOf(from);
    // Who gives leadership up for another reason has stepped down already.
    if (view === undefined || !view.isLeader || view.transferTo === undefined) {
      this.#handovers.delete(from);
      return;
    }
    if (message.type === 'timeoutNowRequest') {
      const held = lastDurable(to);
      // Nothing at all: its disk was replaced, which the leader has yet to find out.
      if (held === 0 || held >= view.lastIndex) return;
      if (term <= (this.#wentBack.get(to) ?? -1)) return;
      const text = `${from} told ${to} to take over, which holds entries up to ${held}`;
      this.#report(`${text} of ${view.lastIndex}`, [from, to]);
      return;
    }
    this.#checkQuiet(message, view);
  }

  #checkQuiet(
    message: Exclude<LeadersMessage, { type: 'timeoutNowRequest' }>,
    view: TransferView,
  ): void {
    const { from, term } = message;
    const { lastIndex, nowMs, transferTo: to = '' } = view;
    const known = this.#handovers.get(from);
    if (known === undefined || known.term !== term || known.to !== to) {
      this.#handovers.set(from, { term, to, lastIndex, sinceMs: nowMs });
      return;
    }
    if (message.type === 'heartbeatRequest') return;
    if (nowMs - known.sinceMs > SURELY_THE_SAME * this.#electionTimeoutMs) return;
    const { entries } = message;
    const added = entries.find(({ index, type }) => index > known.lastIndex && type === 'command');
    if (added === undefined) return;
    const text = `${from} took entry ${added.index} while it handed leadership to ${to}`;
    this.#report(text, [from, to]);
  }

  #report(message: string, nodes: readonly string[]): void {
    this.#violations.report('transfer', message, nodes);
  }
}
