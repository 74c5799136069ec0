/** Who says that this node must not lead: it may campaign only while nobody does. */
import type { RaftCore } from '../raft/index.ts';

/** The disk watchdog, an operator, or the stop of the node. */
type Party = 'disk' | 'operator' | 'stop';

export class CampaignPermit {
  readonly #raft: RaftCore;
  readonly #against = new Set<Party>();

  constructor(raft: RaftCore) {
    this.#raft = raft;
  }

  /** Leadership, if this node has it, is given up at once. */
  forbid(party: Party): void {
    this.#against.add(party);
    this.#raft.setCampaignAllowed(false);
  }

  allow(party: Party): void {
    if (!this.#against.delete(party)) return;
    if (this.#against.size === 0) this.#raft.setCampaignAllowed(true);
  }
}
