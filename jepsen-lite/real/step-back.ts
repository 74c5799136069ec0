/** What brings one node back to where it was when the cluster was founded. */

/** A node, as the newest leader and the system show it. */
export interface Standing {
  readonly isFounder: boolean;
  /** In the membership; undefined: it is no member. */
  readonly role: string | undefined;
  readonly isRunning: boolean;
  /** It has applied all that the leader has a snapshot of. */
  readonly hasAll: boolean;
  /** It has its disk, or what it lost was made good. */
  readonly isFound: boolean;
}

export type Step = 'start' | 'remove' | 'empty' | 'readmit' | 'promote' | 'wait';

/** Undefined when nothing is to be done. */
export function stepBack(standing: Standing): Step | undefined {
  const { isFounder, role, isRunning, hasAll, isFound } = standing;
  if (!isFounder) {
    if (role !== undefined) return 'remove';
    return isRunning ? 'empty' : undefined;
  }
  if (!isRunning) return 'start';
  if (role === undefined) return 'readmit';
  // Whoever was demoted before its disk was lost is taken back as the learner that it was.
  if (role === 'learner') return hasAll ? 'promote' : 'wait';
  return isFound ? undefined : 'wait';
}

/**
 * Whose healing has to suffice: a majority of the founders, chosen by the order given, of nodes
 * with good disks (one that finds damage does not vote any more). All of them while the cluster is
 * not whole.
 */
export function coreOf(
  founders: readonly string[],
  undamaged: readonly string[],
  isWhole: boolean,
): readonly string[] {
  return isWhole ? undamaged.slice(0, Math.floor(founders.length / 2) + 1) : founders;
}
