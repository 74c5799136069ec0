/** A node from start to stop, and the calls it takes. */
import { HoldfastError } from '../base/index.ts';
import { memberOf } from '../raft/index.ts';
import type { Membership, NodeId, SnapshotMeta } from '../raft/index.ts';
import type {
  Answer,
  CallOptions,
  Consistency,
  MembershipChange,
  NodeOptions,
  NodeStatus,
  RaftNode,
} from './contract.ts';
import type { Engine } from './engine.ts';
import { encodeChange, encodeTarget } from './forward-codec.ts';
import type { ForwardKind } from './forward-sender.ts';
import { Lifecycle } from './lifecycle.ts';
import { failure } from './waiter.ts';

export function createNode(options: NodeOptions): RaftNode {
  return new HoldfastNode(options);
}

class HoldfastNode implements RaftNode {
  readonly id: NodeId;
  readonly #options: NodeOptions;
  readonly #lifecycle: Lifecycle;

  constructor(options: NodeOptions) {
    this.id = options.id;
    this.#options = options;
    this.#lifecycle = new Lifecycle(options);
  }

  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  get appliedIndex(): number {
    return this.#lifecycle.engine?.applier.index ?? 0;
  }

  propose(command: Uint8Array, done: (answer: Answer) => void, options?: CallOptions): void {
    const engine = this.#accepting(done);
    if (engine === undefined) return;
    const refusal = this.#refusal(engine, command);
    if (refusal !== undefined) engine.work.propose.refuse(done, refusal);
    else engine.work.propose.add(command, done, this.#deadline(options));
  }

  /** Why a command is not even tried. */
  #refusal(engine: Engine, command: Uint8Array): Answer | undefined {
    const { maxCommandBytes } = this.#options.settings;
    if (command.length > maxCommandBytes) {
      const text = `a command of ${command.length} bytes is over the limit of ${maxCommandBytes}`;
      return failure('too-large', text);
    }
    const broken = engine.writer.failure;
    const { voters } = engine.raft.membership;
    if (broken !== undefined && voters.length === 1 && voters[0] === this.id) {
      return failure(broken.code, `the only voter takes no writes: ${broken.message}`);
    }
    return engine.overloadedBy(1, command.length);
  }

  readBarrier(
    consistency: Consistency,
    done: (error: HoldfastError | undefined) => void,
    options?: CallOptions,
  ): void {
    const engine = this.#accepting((answer) =>
      done(answer.type === 'error' ? answer.error : undefined),
    );
    if (engine === undefined) return;
    const { maxPendingReads } = this.#options.settings;
    if (engine.reads.length >= maxPendingReads) {
      const text = `maxPendingReads (${maxPendingReads}) are pending here`;
      engine.reads.refuse(done, new HoldfastError('overloaded', text));
    } else {
      engine.reads.add(consistency, done, this.#deadline(options));
    }
  }

  leaderQuery(request: Uint8Array, done: (answer: Answer) => void, options?: CallOptions): void {
    const engine = this.#accepting(done);
    if (engine === undefined) return;
    const refusal = engine.overloadedByQueries(1);
    if (refusal !== undefined) engine.work.leaderQuery.refuse(done, refusal);
    else engine.work.leaderQuery.add(request, done, this.#deadline(options));
  }

  changeMembership(change: MembershipChange, options?: CallOptions): Promise<void> {
    return this.#ask('membership', encodeChange(change), options);
  }

  transfer(to: NodeId | undefined, options?: CallOptions): Promise<void> {
    return this.#ask('transfer', encodeTarget(to), options);
  }

  #ask(kind: ForwardKind, command: Uint8Array, options?: CallOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (answer: Answer): void => {
        if (answer.type === 'ok') resolve();
        else reject(answer.error);
      };
      this.#accepting(done)?.work[kind].add(command, done, this.#deadline(options));
    });
  }

  /** The engine while calls are taken; otherwise `done` hears why they are not. */
  #accepting(done: (answer: Answer) => void): Engine | undefined {
    const { engine, refusal } = this.#lifecycle;
    if (refusal === undefined && engine !== undefined) return engine;
    const error = refusal ?? new HoldfastError('stopped', `node ${this.id} is not running`);
    this.#options.environment.defer(() => done({ type: 'error', error }));
    return undefined;
  }

  #deadline(options: CallOptions | undefined): number {
    const { environment, settings } = this.#options;
    return environment.now() + (options?.timeoutMs ?? settings.requestTimeoutMs);
  }

  waitForLeader(options?: CallOptions): Promise<NodeId> {
    const { environment } = this.#options;
    const deadline = this.#deadline(options);
    return new Promise((resolve, reject) => {
      const check = (): boolean => {
        const { engine, refusal } = this.#lifecycle;
        const leader = engine?.raft.leader;
        if (refusal !== undefined) reject(refusal);
        else if (leader !== undefined) resolve(leader);
        else if (environment.now() < deadline) return false;
        else reject(new HoldfastError('no-leader', `${this.id} knows no leader yet`));
        return true;
      };
      const poll = (): void => {
        if (!check()) environment.setTimer(this.#options.settings.tickMs, poll);
      };
      poll();
    });
  }

  sitOut(reason: string | undefined): void {
    this.#lifecycle.sitOut(reason);
  }

  status(): NodeStatus {
    const { engine, storeId, founding, phase } = this.#lifecycle;
    const { id } = this;
    const { address, store } = this.#options;
    if (engine === undefined) {
      return { id, address, storeId, store: store.kind, ...foundingStatus(phase, founding) };
    }
    const { raft, applier, clock } = engine;
    const { membership, leader, role } = raft;
    const isMember = memberOf(membership, id)?.storeId === storeId;
    return {
      id,
      address,
      storeId,
      store: store.kind,
      role: phase === 'stopped' ? 'stopped' : isMember ? role : 'joining',
      term: raft.term,
      leader,
      leaderAddress: leader === undefined ? undefined : this.#addressOf(engine, leader),
      commitIndex: raft.commitIndex,
      appliedIndex: applier.index,
      snapshotIndex: raft.snapshotIndex,
      firstIndex: raft.firstIndex,
      lastIndex: raft.lastIndex,
      clusterTime: role === 'leader' ? clock.stamp() : applier.time,
      clusterId: membership.clusterId,
      membership,
      transferTo: raft.transferTo,
      unhealthy: this.#lifecycle.sitsOut ?? engine.health.unhealthy,
      pendingCommands: engine.pendingCommands,
    };
  }

  #addressOf(engine: Engine, id: NodeId): string | undefined {
    if (id === this.id) return this.#options.address;
    return engine.peers.connected(id)?.address ?? memberOf(engine.raft.membership, id)?.address;
  }
}

/** Of a node that does not take part yet. */
function foundingStatus(
  phase: Lifecycle['phase'],
  founding: SnapshotMeta | undefined,
): Omit<NodeStatus, 'id' | 'address' | 'storeId' | 'store'> {
  const membership: Membership | undefined = founding?.membership;
  return {
    role: phase === 'starting' ? 'joining' : 'stopped',
    term: 0,
    leader: undefined,
    leaderAddress: undefined,
    commitIndex: 0,
    appliedIndex: 0,
    snapshotIndex: 0,
    firstIndex: 0,
    lastIndex: 0,
    clusterTime: 0,
    clusterId: membership?.clusterId ?? '',
    membership,
    transferTo: undefined,
    unhealthy: undefined,
    pendingCommands: 0,
  };
}
