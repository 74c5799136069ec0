/**
 * That no leader commits entries of earlier terms by counting who holds them: they are committed
 * with the first entry of its own term after them (paper, section 5.4.2).
 */
import type { Membership } from '../../src/raft/index.ts';
import { isQuorum } from './elections.ts';
import type { Violations } from './violations.ts';

export class CommitTerms {
  readonly #violations: Violations;
  /** The highest commit index that any leader has told of. */
  #told = 0;

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  /**
   * A leader tells of a commit index. What was committed by others before it was elected need not
   * be its own doing: `committedBefore`. `reaches`: whether the node's disk holds an entry of this
   * term, at the index or behind it.
   */
  told(
    { leader, term, commit }: { leader: string; term: number; commit: number },
    committedBefore: number,
    memberships: () => readonly Membership[],
    reaches: (id: string) => boolean,
  ): void {
    if (commit <= this.#told) return;
    this.#told = commit;
    if (commit <= committedBefore) return;
    if (memberships().some((membership) => isQuorum(membership, reaches))) return;
    const text = `${leader} committed entry ${commit} in term ${term}`;
    const why = `no majority holds an entry of that term at or behind it`;
    this.#violations.report('commit-term', `${text}, though ${why}`, [leader]);
  }
}
