/**
 * That votes go to those whose logs are as complete as the voter's (paper, section 5.4.1), and that
 * whoever leads was given those of a majority, in each half of a joint membership.
 */
import type { WriteBatch } from '../../src/log-store/index.ts';
import type { Membership } from '../../src/raft/index.ts';
import type { PeerMessage } from '../../src/transport/index.ts';
import type { LogView } from './log-view.ts';

/** Whether these are a majority of both sets of voters. */
export function isQuorum({ voters, outgoing }: Membership, has: (id: string) => boolean): boolean {
  return [voters, outgoing].every(
    (set) => set.length === 0 || set.filter((id) => has(id)).length > set.length / 2,
  );
}

/** The votes that were given, by term and candidate. */
export class GivenVotes {
  readonly #given = new Map<string, Set<string>>();
  /** What candidates said of their logs. */
  readonly #asked = new Map<string, Extract<PeerMessage, { type: 'voteRequest' }>>();

  sent(message: Extract<PeerMessage, { type: 'voteResponse' }>): void {
    if (!message.granted) return;
    const place = `${message.term} ${message.to}`;
    const voters = this.#given.get(place) ?? new Set();
    this.#given.set(place, voters);
    voters.add(message.from);
  }

  asked(message: Extract<PeerMessage, { type: 'voteRequest' }>): void {
    this.#asked.set(`${message.term} ${message.from}`, message);
  }

  /**
   * What is wrong with a vote that is being written, `view` being all that was written before it.
   */
  wrongWith(
    node: string,
    view: LogView,
    { metadata, truncateFrom }: WriteBatch,
  ): string | undefined {
    const { votedFor, term } = metadata ?? {};
    if (votedFor === undefined || votedFor === node) return undefined;
    if (term === view.term && votedFor === view.votedFor) return undefined;
    const last = Math.min(view.last, (truncateFrom ?? Infinity) - 1);
    const lastTerm = view.termAt(last);
    const log = this.#asked.get(`${term} ${votedFor}`);
    if (log === undefined || lastTerm === undefined) return undefined;
    if (log.lastTerm > lastTerm || (log.lastTerm === lastTerm && log.lastIndex >= last)) {
      return undefined;
    }
    const shown = `whose log ends with entry ${log.lastIndex} of term ${log.lastTerm}`;
    return `${node} voted for ${votedFor}, ${shown}, its own with ${last} of term ${lastTerm}`;
  }

  /** Whether the candidate had, with its own vote, enough of them by one of these memberships. */
  suffice(candidate: string, term: number, memberships: readonly Membership[]): boolean {
    const given = this.#given.get(`${term} ${candidate}`);
    const has = (id: string): boolean => id === candidate || given?.has(id) === true;
    return memberships.some((membership) => isQuorum(membership, has));
  }
}
