/** Cluster time: the only clock a state machine sees. */
import type { RaftCore, Term } from '../raft/index.ts';

/**
 * A leader stamps entries with the time of the last entry in its log when it was elected plus its
 * monotonic clock since. So time continues across leaders, never goes back, and stands still while
 * nobody leads.
 */
export class ClusterClock {
  readonly #raft: RaftCore;
  readonly #now: () => number;
  #term: Term | undefined;
  #base = 0;
  #electedAt = 0;

  constructor(raft: RaftCore, now: () => number) {
    this.#raft = raft;
    this.#now = now;
  }

  /** Whole ms. Asked by a leader only; the first question of a term fixes where it begins. */
  stamp(): number {
    if (this.#term !== this.#raft.term) {
      this.#term = this.#raft.term;
      this.#base = this.#raft.status().lastTime;
      this.#electedAt = this.#now();
    }
    return Math.floor(this.#base + (this.#now() - this.#electedAt));
  }
}
