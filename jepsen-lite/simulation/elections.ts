/** That whoever leads was given the votes of a majority, in each half of a joint membership. */
import type { Membership } from '../../src/raft/index.ts';
import type { PeerMessage } from '../../src/transport/index.ts';

/** Whether these are a majority of both sets of voters. */
export function isQuorum({ voters, outgoing }: Membership, has: (id: string) => boolean): boolean {
  return [voters, outgoing].every(
    (set) => set.length === 0 || set.filter((id) => has(id)).length > set.length / 2,
  );
}

/** The votes that were given, by term and candidate. */
export class GivenVotes {
  readonly #given = new Map<string, Set<string>>();

  sent(message: Extract<PeerMessage, { type: 'voteResponse' }>): void {
    if (!message.granted) return;
    const place = `${message.term} ${message.to}`;
    const voters = this.#given.get(place) ?? new Set();
    this.#given.set(place, voters);
    voters.add(message.from);
  }

  /** Whether the candidate had, with its own vote, enough of them by one of these memberships. */
  suffice(candidate: string, term: number, memberships: readonly Membership[]): boolean {
    const given = this.#given.get(`${term} ${candidate}`);
    const has = (id: string): boolean => id === candidate || given?.has(id) === true;
    return memberships.some((membership) => isQuorum(membership, has));
  }
}
