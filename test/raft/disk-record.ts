/** Every disk a cluster ever had, the lost ones too: each counts where a membership names it. */
import type { LogIndex, Membership, NodeId, Term } from '../../src/raft/index.ts';
import type { SimDisk } from './sim-disk.ts';

export class DiskRecord {
  readonly #disks = new Map<NodeId, SimDisk[]>();

  add(id: NodeId, disk: SimDisk): void {
    const disks = this.#disks.get(id) ?? [];
    if (!disks.includes(disk)) disks.push(disk);
    this.#disks.set(id, disks);
  }

  /** The disk a membership means when it names a node. */
  #of(id: NodeId, membership: Membership): SimDisk | undefined {
    const members = membership.members as Readonly<Record<string, { storeId: string }>>;
    const storeId = members[id]?.storeId;
    return this.#disks.get(id)?.find((disk) => disk.storeId === storeId);
  }

  holds(id: NodeId, membership: Membership, index: LogIndex, term: Term): boolean {
    return this.#of(id, membership)?.holds(index, term) ?? false;
  }

  hasVoted(id: NodeId, membership: Membership, term: Term, candidate: NodeId): boolean {
    return this.#of(id, membership)?.votes.get(term) === candidate;
  }
}
