/**
 * The memberships in the log, each in force from its own index on. The newest one counts, committed
 * or not; a truncation brings the one before back (section 6).
 */
import { invariant } from '../base/index.ts';
import { NO_INDEX } from './entry.ts';
import { decodeMembership } from './membership-codec.ts';
import { emptyMembership } from './membership.ts';
import type { LogIndex, Membership, RecoveredState, SnapshotMeta } from './types.ts';

interface MembershipAt {
  readonly index: LogIndex;
  readonly membership: Membership;
}

export class MembershipHistory {
  /** Oldest first, never empty. */
  #known: MembershipAt[];

  constructor(recovered: RecoveredState) {
    const { snapshot } = recovered;
    this.#known = [
      {
        index: snapshot?.index ?? NO_INDEX,
        membership: snapshot?.membership ?? emptyMembership,
      },
    ];
    for (const entry of recovered.membershipEntries) {
      if (entry.index > this.index) this.push(entry.index, decodeMembership(entry.data));
    }
  }

  get #newest(): MembershipAt {
    return this.#known[this.#known.length - 1]!;
  }

  get current(): Membership {
    return this.#newest.membership;
  }

  /** Where the current one stands in the log. */
  get index(): LogIndex {
    return this.#newest.index;
  }

  /** The one the current one replaced; itself when nothing older is known. */
  get previous(): Membership {
    return (this.#known[this.#known.length - 2] ?? this.#newest).membership;
  }

  push(index: LogIndex, membership: Membership): void {
    invariant(index > this.index, 'memberships come in log order', { index, last: this.index });
    this.#known.push({ index, membership });
  }

  /** Forgets those at `index` and after. Returns whether the current one changed. */
  truncateFrom(index: LogIndex): boolean {
    const before = this.#known.length;
    while (this.#known.length > 1 && this.index >= index) this.#known.pop();
    return this.#known.length !== before;
  }

  /** In force at `index`; of indexes before the oldest known, nothing is known but the oldest. */
  at(index: LogIndex): Membership {
    for (let i = this.#known.length - 1; i > 0; i--) {
      if (this.#known[i]!.index <= index) return this.#known[i]!.membership;
    }
    return this.#known[0]!.membership;
  }

  /** Forgets what was replaced at or before `index`. */
  compactThrough(index: LogIndex): void {
    const first = this.#known.findLastIndex((known) => known.index <= index);
    if (first > 0) this.#known = this.#known.slice(first);
  }

  /** A snapshot takes the place of the log up to it; what the log holds after it stays or goes. */
  install(snapshot: SnapshotMeta, keepsSuffix: boolean): void {
    const { index, membership } = snapshot;
    const after = keepsSuffix ? this.#known.filter((known) => known.index > index) : [];
    this.#known = [{ index, membership }, ...after];
  }
}
