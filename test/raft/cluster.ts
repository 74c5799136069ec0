/**
 * A cluster of cores on simulated disks and a simulated network, in one thread and without time of
 * its own: nothing happens unless called for, so every run can be repeated.
 */
import { invariant } from '../../src/base/index.ts';
import type {
  LogIndex,
  Member,
  Membership,
  MembershipResult,
  MembershipTarget,
  Message,
  NodeId,
  ProposeResult,
  RaftCore,
  RaftEvent,
  RaftOptions,
  ReadResult,
  Term,
  TransferResult,
} from '../../src/raft/index.ts';
import { describeMessage } from './describe.ts';
import { Oracle } from './oracle.ts';
import { SimDisk, type StoredSnapshot } from './sim-disk.ts';
import { SimNetwork } from './sim-network.ts';
import { type NodeHost, SimNode } from './sim-node.ts';

export interface ClusterSettings {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly options: Partial<RaftOptions>;
  /** Chance for the node's election timeouts, uniform in [0, 1). */
  readonly random: (id: NodeId) => number;
  readonly chunkBytes: number;
  readonly trace?: ((line: string) => void) | undefined;
}

interface Pending {
  readonly id: NodeId;
  readonly raft: RaftCore;
  readonly index: LogIndex;
}

const DEFAULT_OPTIONS = {
  electionTicks: 10,
  heartbeatTicks: 2,
  maxAppendBytes: 1000,
  maxInflightMessages: 8,
  maxInflightBytes: 10_000,
  maxUncommittedBytes: 100_000,
  maxCommittedBytes: 10_000,
  maxCachedBytes: 10_000,
  leaseMarginTicks: 1,
  checkInvariants: true,
};

/** Replies that are counted: a runtime drops them when the sender has another disk than known. */
const COUNTED_REPLIES: readonly Message['type'][] = [
  'voteResponse',
  'preVoteResponse',
  'appendResponse',
  'heartbeatResponse',
  'snapshotChunkResponse',
];

export class Cluster implements NodeHost {
  readonly network: SimNetwork = new SimNetwork();
  readonly oracle: Oracle;
  readonly nodes: Map<NodeId, SimNode> = new Map();
  readonly chunkBytes: number;
  readonly trace: ((line: string) => void) | undefined;
  /** Everything the cores said of themselves, newest last. */
  readonly events: { readonly id: NodeId; readonly event: RaftEvent }[] = [];
  /** Answers to reads that ended, by context. */
  readonly readResults: Map<number, ReadResult> = new Map();
  /** Commands whose proposer saw them applied, with where. */
  readonly acknowledged: Map<string, LogIndex> = new Map();
  readonly #settings: ClusterSettings;
  readonly #founding: StoredSnapshot;
  readonly #pending = new Map<string, Pending>();
  readonly #readBounds = new Map<number, LogIndex>();
  #clock = 0;

  constructor(settings: ClusterSettings) {
    this.#settings = settings;
    this.chunkBytes = settings.chunkBytes;
    this.trace = settings.trace;
    this.oracle = new Oracle({ ...DEFAULT_OPTIONS, ...settings.options });
    this.#founding = { meta: foundingMeta(settings), bytes: new Uint8Array() };
    for (const id of [...settings.voters, ...settings.learners]) this.#add(id, this.#founding);
  }

  #add(id: NodeId, snapshot: StoredSnapshot | undefined): SimNode {
    const node = new SimNode(id, new SimDisk(firstStoreId(id), snapshot), this);
    this.nodes.set(id, node);
    return node;
  }

  node(id: NodeId): SimNode {
    const node = this.nodes.get(id);
    invariant(node !== undefined, 'no such node', id);
    return node;
  }

  core(id: NodeId): RaftCore {
    const { raft } = this.node(id);
    invariant(raft !== undefined, 'the node is down', id);
    return raft;
  }

  /** Nodes that are up. */
  alive(): SimNode[] {
    return [...this.nodes.values()].filter((node) => node.raft !== undefined);
  }

  /** The leader of the newest term, if anyone leads. */
  leader(): SimNode | undefined {
    let newest: SimNode | undefined;
    for (const node of this.alive()) {
      if (node.raft?.role !== 'leader') continue;
      if (newest === undefined || node.raft.term > (newest.raft?.term ?? 0)) newest = node;
    }
    return newest;
  }

  start(id: NodeId): void {
    const { options, random } = this.#settings;
    const node = this.node(id);
    const { storeId } = node.disk;
    const given = { ...DEFAULT_OPTIONS, ...options };
    node.start({ ...given, id, storeId, random: () => random(id) });
  }

  startAll(): void {
    for (const node of this.nodes.values()) if (node.raft === undefined) this.start(node.id);
  }

  /** A node with an empty disk that no membership knows yet. */
  join(id: NodeId): void {
    this.#add(id, undefined);
    this.start(id);
  }

  crash(id: NodeId, keptWrites = 0): void {
    const node = this.node(id);
    const before = node.disk.lastIndex;
    if (node.disk.pending.length > keptWrites) this.oracle.count('writesLost');
    node.crash(keptWrites);
    invariant(keptWrites > 0 || node.disk.lastIndex === before, 'a lost write was kept', id);
  }

  /** The node's disk is replaced by an empty one; connections break. */
  wipe(id: NodeId): void {
    const node = this.node(id);
    node.crash(0);
    node.disk = new SimDisk(`${node.disk.storeId}'`, undefined);
    for (const link of this.network.links()) if (link.from === id) link.queue.length = 0;
  }

  tick(id: NodeId): void {
    this.#clock++;
    this.node(id).input((raft) => raft.tick());
  }

  tickAll(): void {
    for (const node of this.alive()) this.tick(node.id);
  }

  send(message: Message): void {
    this.oracle.sent(message);
    const left = this.network.send(message);
    if (!left) this.oracle.count('lostOnCutLink');
    this.trace?.(`${describeMessage(message)}${left ? '' : ' (lost: link is cut)'}`);
  }

  /** Delivers one message of a link; false when there is none. */
  deliver(from: NodeId, to: NodeId, position = 0): boolean {
    const message = this.network.take(from, to, position);
    if (message === undefined) return false;
    this.receive(message);
    return true;
  }

  /** A message arrives, whoever sent it and whenever. */
  receive(message: Message): void {
    this.#clock++;
    const { from, to } = message;
    const node = this.nodes.get(to);
    if (node?.raft === undefined) return;
    const sender = this.nodes.get(from);
    const known = (node.raft.membership.members as Readonly<Record<string, Member>>)[from]?.storeId;
    if (
      sender !== undefined &&
      known !== undefined &&
      known !== sender.disk.storeId &&
      COUNTED_REPLIES.includes(message.type)
    ) {
      this.oracle.count('replyOfWipedNodeDropped');
      return;
    }
    node.input((raft) => raft.step(message));
  }

  propose(id: NodeId, commands: readonly string[]): ProposeResult | undefined {
    this.#clock++;
    const node = this.node(id);
    return node.input((raft) => {
      const time = Math.max(this.#clock, raft.status().lastTime);
      const bytes = commands.map((text) => Uint8Array.from(text, (char) => char.charCodeAt(0)));
      const result = raft.propose(bytes, time);
      if (result.type === 'appended') {
        for (const [i, command] of commands.slice(0, result.count).entries()) {
          const index = (result.firstIndex + i) as LogIndex;
          this.#pending.set(command, { id, raft, index });
        }
      }
      return result;
    });
  }

  applied(id: NodeId, index: LogIndex, command: string): void {
    const pending = this.#pending.get(command);
    const { raft } = this.node(id);
    if (pending === undefined || pending.id !== id || pending.raft !== raft) return;
    invariant(pending.index === index, 'a command was applied elsewhere than promised', command);
    const committedAt = this.oracle.commandCommittedAt(command);
    invariant(committedAt === index, 'acknowledged but not committed there', { command, index });
    this.acknowledged.set(command, index);
    this.#pending.delete(command);
  }

  /** Whether the node that took this command may still see it applied. */
  isPending(command: string): boolean {
    const pending = this.#pending.get(command);
    if (pending === undefined) return false;
    const { raft } = this.node(pending.id);
    if (raft !== pending.raft) return false;
    const log = this.oracle.mirror(pending.id);
    const entry = log?.entryAt(pending.index);
    return entry !== undefined && String.fromCharCode(...entry.data) === command;
  }

  read(id: NodeId, context: number): void {
    this.#clock++;
    this.#readBounds.set(context, this.oracle.maxCommit);
    this.node(id).input((raft) => raft.read(context));
  }

  /** Linearizable means: not older than anything known committed when the read began. */
  readEnded(id: NodeId, result: ReadResult): void {
    const bound = this.#readBounds.get(result.context);
    invariant(bound !== undefined, 'an answer to a read nobody asked for', { id, result });
    if (result.type === 'ready') {
      invariant(result.index >= bound, 'a stale read was confirmed', { id, result, bound });
      this.oracle.count('readConfirmed');
    }
    this.readResults.set(result.context, result);
  }

  /** A lease read, judged against everything committed by anyone up to now. */
  leaseRead(id: NodeId): LogIndex | undefined {
    const index = this.node(id).raft?.leaseReadIndex();
    if (index === undefined) return undefined;
    const { maxCommit } = this.oracle;
    invariant(index >= maxCommit, 'a stale lease read', { id, index, maxCommit });
    this.oracle.count('leaseRead');
    return index;
  }

  transfer(id: NodeId, to: NodeId): TransferResult | undefined {
    return this.node(id).input((raft) => raft.transfer(to));
  }

  changeMembership(id: NodeId, target: MembershipTarget): MembershipResult | undefined {
    this.#clock++;
    return this.node(id).input((raft) => {
      const time = Math.max(this.#clock, raft.status().lastTime);
      return raft.changeMembership(target, time);
    });
  }

  happened(id: NodeId, event: RaftEvent): void {
    this.events.push({ id, event });
    if (event.type === 'transferEnded') {
      this.oracle.count(event.completed ? 'transferCompleted' : 'transferAborted');
    }
  }

  /** Identity and address of a node as a membership should name it. */
  memberOf(id: NodeId): Member {
    return { address: `${id}:1`, storeId: this.nodes.get(id)?.disk.storeId ?? '' };
  }

  /** Finishes the writes and tasks of a node whose disk is not held. */
  finishDisk(id: NodeId): boolean {
    const node = this.node(id);
    let worked = false;
    while (!node.diskHeld && (node.completeWrites(1) || node.runTask(0))) worked = true;
    return worked;
  }

  /** Delivers and writes everything there is, and all that follows from it. No time passes. */
  settle(): void {
    for (let rounds = 0; rounds < 10_000; rounds++) {
      let worked = false;
      for (const id of this.nodes.keys()) worked = this.finishDisk(id) || worked;
      for (const { from, to, queue } of this.network.busyLinks()) {
        for (let left = queue.length; left > 0; left--) worked = this.deliver(from, to) || worked;
      }
      if (!worked) return;
    }
    invariant(false, 'the cluster never comes to rest');
  }
}

function firstStoreId(id: NodeId): string {
  return `store-${id}`;
}

function foundingMeta(settings: ClusterSettings): StoredSnapshot['meta'] {
  const { voters, learners } = settings;
  const members = Object.fromEntries(
    [...voters, ...learners].map((id) => [id, { address: `${id}:1`, storeId: firstStoreId(id) }]),
  ) as Membership['members'];
  const membership: Membership = {
    clusterId: 'test',
    voters: voters.toSorted(),
    outgoing: [],
    learners: learners.toSorted(),
    promotable: [],
    members,
  };
  return { index: 0 as LogIndex, term: 0 as Term, time: 0, membership };
}
