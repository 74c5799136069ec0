/** What every node in this process offers, whatever it replicates. */
import {
  optionNames,
  refuseUnknownOptions,
  type HoldfastError,
  type OptionNames,
} from '../base/index.ts';
import {
  parseDuration,
  type Duration,
  type MemberStatus,
  type NewMember,
} from '../client/index.ts';
import type { CallOptions, MembershipChange, NodeId, NodeStatus, RaftNode } from '../node/index.ts';

export interface WaitOptions {
  /** How long to wait; the default is the node's `requestTimeoutMs`. */
  readonly timeout?: Duration;
}

/** One member of a cluster, in this process. */
export interface EmbeddedNode extends AsyncDisposable {
  readonly id: string;
  /** Where others reach it, `host:port`. */
  readonly address: string;
  /**
   * Resolves when the node is over: to why, when it stopped itself, and to undefined after `stop`.
   */
  readonly stopped: Promise<HoldfastError | undefined>;
  /** As of now and of this node. */
  status(): NodeStatus;
  /** The cluster's members as this node knows them. */
  members(): readonly MemberStatus[];
  /** Rejects with `membership-refused` when the cluster cannot change now. */
  addMember(member: NewMember, options?: WaitOptions): Promise<void>;
  /** Makes a learner that has caught up a voter. */
  promote(id: string, options?: WaitOptions): Promise<void>;
  demote(id: string, options?: WaitOptions): Promise<void>;
  removeMember(id: string, options?: WaitOptions): Promise<void>;
  /** Hands leadership to a node, or to the best follower. */
  transfer(to?: string, options?: WaitOptions): Promise<void>;
  /** Resolves to the leader's id; rejects with `no-leader` when none is found in time. */
  waitForLeader(options?: WaitOptions): Promise<string>;
  /** Hands leadership over, answers what is open, closes everything. Idempotent. */
  stop(): Promise<void>;
}

/** The part of a node that is the same for every state machine. */
export abstract class NodeControls implements AsyncDisposable {
  readonly id: string;
  readonly #current: () => RaftNode;
  #stopping: Promise<void> | undefined = undefined;

  /** `current`: the node as it is now; one that was installed anew is another. */
  constructor(current: () => RaftNode) {
    this.id = current().id;
    this.#current = current;
  }

  get #node(): RaftNode {
    return this.#current();
  }

  status(): NodeStatus {
    return this.#node.status();
  }

  members(): readonly MemberStatus[] {
    const { membership } = this.#node.status();
    if (membership === undefined) return [];
    const voting = new Set<string>([...membership.voters, ...membership.outgoing]);
    return Object.entries(membership.members).map(([id, { address }]) => {
      return { id, address, role: voting.has(id) ? 'voter' : 'learner' };
    });
  }

  addMember({ id, address, promote = true }: NewMember, options?: WaitOptions): Promise<void> {
    return this.#change({ type: 'add', id: id as NodeId, address, promote }, options);
  }

  promote(id: string, options?: WaitOptions): Promise<void> {
    return this.#change({ type: 'promote', id: id as NodeId }, options);
  }

  demote(id: string, options?: WaitOptions): Promise<void> {
    return this.#change({ type: 'demote', id: id as NodeId }, options);
  }

  removeMember(id: string, options?: WaitOptions): Promise<void> {
    return this.#change({ type: 'remove', id: id as NodeId }, options);
  }

  async transfer(to?: string, options?: WaitOptions): Promise<void> {
    await this.#node.transfer(to as NodeId | undefined, patience(options));
  }

  async waitForLeader(options?: WaitOptions): Promise<string> {
    return await this.#node.waitForLeader(patience(options));
  }

  stop(): Promise<void> {
    this.#stopping ??= this.shutDown();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** What `stop` does, once. */
  protected abstract shutDown(): Promise<void>;

  async #change(change: MembershipChange, options: WaitOptions | undefined): Promise<void> {
    await this.#node.changeMembership(change, patience(options));
  }
}

const WAIT_NAMES = optionNames<WaitOptions>({ timeout: true });

/** The runtime's own options for a call. */
export function patience(
  options: WaitOptions | undefined,
  known: OptionNames = WAIT_NAMES,
): CallOptions {
  if (options !== undefined) refuseUnknownOptions('options', options, known);
  if (options?.timeout === undefined) return {};
  return { timeoutMs: parseDuration(options.timeout, 'timeout') };
}
