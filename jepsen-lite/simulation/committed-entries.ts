/** What is known to be committed. */
export class CommittedEntries {
  /** By index, the entry's own term. */
  readonly #terms = new Map<number, number>();
  /** The last entry by the term in which it was first known to be committed. */
  readonly #lastIn = new Map<number, number>();
  #last = 0;

  get last(): number {
    return this.#last;
  }

  termAt(index: number): number | undefined {
    return this.#terms.get(index);
  }

  /** `nodeTerm`: that of the node which is the first to show that it is committed. */
  add(index: number, term: number, nodeTerm: number): void {
    this.#terms.set(index, term);
    this.#last = Math.max(this.#last, index);
    const knownIn = Math.max(term, nodeTerm);
    this.#lastIn.set(knownIn, Math.max(this.#lastIn.get(knownIn) ?? 0, index));
  }

  /**
   * The last that was committed in an earlier term than this: its leader must hold all up to there
   * (paper, figure 3). One that is elected by a vote which comes late may lack what the leader of a
   * later term has committed by then.
   */
  lastBefore(leaderTerm: number): number {
    let last = 0;
    for (const [knownIn, index] of this.#lastIn) {
      if (knownIn < leaderTerm) last = Math.max(last, index);
    }
    return last;
  }
}
