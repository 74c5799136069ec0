/**
 * What a majority says. A leaf: knows nothing of messages, logs or roles.
 *
 * In joint consensus a decision needs a majority of both sets separately, never of their union
 * (paper section 6); outside of it `outgoing` is empty and decides nothing.
 */
import type { NodeId } from './types.ts';

/** The smallest number of voters any two of whose groups overlap. */
export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** The largest value that a majority of `voters` has reached; Infinity without voters. */
function majorityValue(voters: readonly NodeId[], valueOf: (id: NodeId) => number): number {
  if (voters.length === 0) return Infinity;
  const descending: number[] = [];
  for (const id of voters) {
    const value = valueOf(id);
    let at = descending.push(value) - 1;
    for (; at > 0 && descending[at - 1]! < value; at--) descending[at] = descending[at - 1]!;
    descending[at] = value;
  }
  return descending[majority(voters.length) - 1]!;
}

/** The largest value that a majority of each set has reached; Infinity when both are empty. */
export function quorumValue(
  voters: readonly NodeId[],
  outgoing: readonly NodeId[],
  valueOf: (id: NodeId) => number,
): number {
  return Math.min(majorityValue(voters, valueOf), majorityValue(outgoing, valueOf));
}

export type VoteOutcome = 'won' | 'lost' | 'pending';

/** Who has answered an election, each voter once. */
export interface VoteTally {
  readonly granted: Set<NodeId>;
  readonly refused: Set<NodeId>;
}

export function newTally(): VoteTally {
  return { granted: new Set(), refused: new Set() };
}

function majorityOutcome(voters: readonly NodeId[], votes: VoteTally): VoteOutcome {
  const needed = majority(voters.length);
  let granted = 0;
  let open = 0;
  for (const id of voters) {
    if (votes.granted.has(id)) granted++;
    else if (!votes.refused.has(id)) open++;
  }
  if (granted >= needed) return 'won';
  return granted + open >= needed ? 'pending' : 'lost';
}

/** Nobody can win an election without voters. */
export function voteOutcome(
  voters: readonly NodeId[],
  outgoing: readonly NodeId[],
  votes: VoteTally,
): VoteOutcome {
  const incoming = majorityOutcome(voters, votes);
  if (outgoing.length === 0 || incoming === 'lost') return incoming;
  const leaving = majorityOutcome(outgoing, votes);
  return leaving === 'won' ? incoming : leaving;
}
