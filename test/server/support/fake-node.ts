import { HoldfastError } from '../../../src/base/index.ts';
import type {
  Answer,
  CallOptions,
  Consistency,
  MembershipChange,
  NodeId,
  NodeStatus,
  RaftNode,
} from '../../../src/node/index.ts';
import type { RegistryLimits, RegistryStateMachine } from '../../../src/registry/index.ts';
import { registryWith } from './registry.ts';

/**
 * A node without a cluster around a real registry: proposals and barriers wait until `turn`, which
 * applies them in order and then calls the hook, as the real one does.
 */
export class FakeNode implements RaftNode {
  readonly id = 'a' as NodeId;
  readonly registry: RegistryStateMachine;
  /** Called after each turn that applied something. */
  onApplied: () => void = () => undefined;
  onLeaderChanged: () => void = () => undefined;
  readonly membershipChanges: MembershipChange[] = [];
  readonly transfers: (NodeId | undefined)[] = [];
  readonly barriers: Consistency[] = [];
  readonly patience: (number | undefined)[] = [];
  /** When set, barriers fail with it. */
  barrierError: HoldfastError | undefined = undefined;
  leader: { readonly id: NodeId; readonly address: string } | undefined = undefined;
  appliedIndex = 0;
  #time = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #unanswered = new Set<(answer: Answer) => void>();

  constructor(limits: Partial<RegistryLimits> = {}) {
    this.registry = registryWith(limits);
  }

  /** Applies one command as if another node had proposed it. The hook is not called. */
  apply(command: Uint8Array): Uint8Array {
    this.appliedIndex++;
    this.#time += 10;
    return this.registry.apply(command, { index: this.appliedIndex, term: 1, time: this.#time });
  }

  /** Everything asked so far happens. */
  turn(): void {
    for (const work of this.#waiting.splice(0)) work();
    this.onApplied();
  }

  sitOut(): void {}

  setLeader(leader: { id: string; address: string } | undefined): void {
    this.leader =
      leader === undefined ? undefined : { id: leader.id as NodeId, address: leader.address };
    this.onLeaderChanged();
  }

  propose(command: Uint8Array, done: (answer: Answer) => void, options?: CallOptions): void {
    this.patience.push(options?.timeoutMs);
    this.#unanswered.add(done);
    this.#waiting.push(() => {
      if (!this.#unanswered.delete(done)) return;
      done({ type: 'ok', payload: this.apply(command) });
    });
  }

  readBarrier(consistency: Consistency, done: (error: HoldfastError | undefined) => void): void {
    this.barriers.push(consistency);
    this.#waiting.push(() => done(this.barrierError));
  }

  leaderQuery(request: Uint8Array, done: (answer: Answer) => void): void {
    this.#waiting.push(() => {
      const payload = this.registry.leaderSide.query(request, this.#time);
      done({ type: 'ok', payload });
    });
  }

  changeMembership(change: MembershipChange): Promise<void> {
    this.membershipChanges.push(change);
    const refused = new HoldfastError('membership-refused', 'a change is under way');
    return change.id === ('refused' as NodeId) ? Promise.reject(refused) : Promise.resolve();
  }

  transfer(to: NodeId | undefined): Promise<void> {
    this.transfers.push(to);
    return Promise.resolve();
  }

  waitForLeader(): Promise<NodeId> {
    return Promise.resolve(this.id);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    const error = new HoldfastError('stopped', 'the node stopped', { outcome: 'unknown' });
    for (const done of this.#unanswered) done({ type: 'error', error });
    this.#unanswered.clear();
    return Promise.resolve();
  }

  status(): NodeStatus {
    return {
      id: this.id,
      address: 'a:1',
      role: 'leader',
      term: 3,
      leader: this.leader?.id,
      leaderAddress: this.leader?.address,
      commitIndex: 12,
      appliedIndex: this.appliedIndex,
      snapshotIndex: 4,
      firstIndex: 5,
      lastIndex: 13,
      clusterTime: this.#time,
      clusterId: 'cluster',
      storeId: 'store',
      store: 'memory',
      membership: {
        clusterId: 'cluster',
        voters: ['a' as NodeId],
        outgoing: ['b' as NodeId],
        learners: ['c' as NodeId],
        promotable: [],
        members: {
          ['a' as NodeId]: { address: 'a:1', storeId: 's1' },
          ['b' as NodeId]: { address: 'b:1', storeId: 's2' },
          ['c' as NodeId]: { address: 'c:1', storeId: '' },
        },
      },
      transferTo: undefined,
      unhealthy: undefined,
      pendingCommands: this.#waiting.length,
    };
  }
}
