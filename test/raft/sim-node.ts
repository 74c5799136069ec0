/**
 * One node: a core, a disk, a state machine. It does what the runtime does with an output, in the
 * order the output's field names state, but every slow thing waits until the test lets it finish.
 */
import { invariant, unreachable } from '../../src/base/index.ts';
import { Raft } from '../../src/raft/index.ts';
import type {
  FetchRequest,
  LogIndex,
  Message,
  NodeId,
  Output,
  PersistToken,
  RaftCore,
  RaftEvent,
  RaftOptions,
  ReadResult,
  SnapshotChunkRequest,
  SnapshotMeta,
  SnapshotReadRequest,
} from '../../src/raft/index.ts';
import {
  describeEvent,
  describeFetch,
  describePersist,
  describeRead,
  entryText,
} from './describe.ts';
import { HashChain } from './hash-chain.ts';
import type { Oracle } from './oracle.ts';
import type { SimDisk, StoredSnapshot } from './sim-disk.ts';

/** Slow work other than a log write; it may finish in any order. */
export type Task =
  | { readonly type: 'fetch'; readonly request: FetchRequest }
  | { readonly type: 'readChunk'; readonly request: SnapshotReadRequest }
  | { readonly type: 'stageChunk'; readonly chunk: SnapshotChunkRequest }
  | { readonly type: 'saveSnapshot'; readonly snapshot: StoredSnapshot };

/** What a node needs of the world around it. */
export interface NodeHost {
  readonly oracle: Oracle;
  readonly chunkBytes: number;
  send(message: Message): void;
  /** One line of what happens; undefined when nobody listens. */
  readonly trace: ((line: string) => void) | undefined;
  applied(id: NodeId, index: LogIndex, command: string): void;
  readEnded(id: NodeId, result: ReadResult): void;
  happened(id: NodeId, event: RaftEvent): void;
}

interface Staging {
  readonly index: LogIndex;
  readonly term: number;
  bytes: Uint8Array;
}

const MAX_OUTPUTS_PER_INPUT = 10_000;

export class SimNode {
  readonly id: NodeId;
  disk: SimDisk;
  raft: RaftCore | undefined;
  machine: HashChain = new HashChain();
  /** While held, writes and tasks stay pending. */
  diskHeld = false;
  readonly tasks: Task[] = [];
  readonly #host: NodeHost;
  readonly #heldBack: { readonly after: number; readonly messages: readonly Message[] }[] = [];
  #staging: Staging | undefined;

  constructor(id: NodeId, disk: SimDisk, host: NodeHost) {
    this.id = id;
    this.disk = disk;
    this.#host = host;
  }

  start(options: RaftOptions): void {
    invariant(this.raft === undefined, 'a node is started twice', this.id);
    const recovered = this.disk.recover();
    this.machine = new HashChain();
    if (this.disk.snapshot !== undefined && this.disk.snapshot.meta.index > 0) {
      this.machine.restore(this.disk.snapshot.bytes);
    }
    this.raft = new Raft(options, recovered);
    this.#host.oracle.started(this);
    this.#drain();
  }

  /** Power fails; the oldest `keptWrites` of the pending writes had reached the disk. */
  crash(keptWrites: number): void {
    this.raft = undefined;
    this.disk.crash(keptWrites);
    this.tasks.length = 0;
    this.#heldBack.length = 0;
    this.#staging = undefined;
  }

  /** Hands something to the core, if the node is up, and does what comes out. */
  input<T>(action: (raft: RaftCore) => T): T | undefined {
    if (this.raft === undefined) return undefined;
    const result = action(this.raft);
    this.#drain();
    return result;
  }

  /** Completes the oldest `count` writes, which the core hears of as one. */
  completeWrites(count: number): boolean {
    let token: PersistToken | undefined;
    for (let i = 0; i < count; i++) token = this.disk.completeNext() ?? token;
    if (token === undefined) return false;
    const durable = token;
    this.#host.trace?.(`${this.id} has write ${durable} durable`);
    this.raft?.persisted(durable);
    this.#releaseHeldBack(durable);
    this.#drain();
    return true;
  }

  runTask(position: number): boolean {
    const [task] = this.tasks.splice(position, 1);
    if (task === undefined) return false;
    switch (task.type) {
      case 'fetch':
        this.#fetch(task.request);
        break;
      case 'readChunk':
        this.#readChunk(task.request);
        break;
      case 'stageChunk':
        this.#stageChunk(task.chunk);
        break;
      case 'saveSnapshot':
        this.#saveOwnSnapshot(task.snapshot);
        break;
      default:
        unreachable(task);
    }
    this.#drain();
    return true;
  }

  /** Begins a snapshot of what is applied now. */
  takeSnapshot(): SnapshotMeta | undefined {
    const { raft, machine } = this;
    if (raft === undefined || machine.index === 0) return undefined;
    const index = machine.index as LogIndex;
    const term = raft.termAt(index);
    if (term === undefined || index <= (this.disk.snapshot?.meta.index ?? 0)) return undefined;
    const time = this.#host.oracle.mirror(this.id)?.entryAt(index)?.time;
    invariant(time !== undefined, 'a snapshot of an entry nobody wrote', index);
    const meta: SnapshotMeta = { index, term, time, membership: raft.membershipAt(index) };
    this.tasks.push({ type: 'saveSnapshot', snapshot: { meta, bytes: machine.snapshot() } });
    return meta;
  }

  #drain(): void {
    const { raft } = this;
    if (raft === undefined) return;
    this.#host.oracle.observeTerm(this.id);
    for (let rounds = 0; raft.hasOutput(); rounds++) {
      invariant(rounds < MAX_OUTPUTS_PER_INPUT, 'a core that never comes to rest', this.id);
      this.#execute(raft.takeOutput());
    }
    this.#host.oracle.observe(this.id);
  }

  /** The order below is the contract of `Output`. */
  #execute(output: Output): void {
    if (output.restore !== undefined) this.#host.oracle.restored(this.id, output.restore);
    if (output.persist !== undefined) {
      this.#host.oracle.written(this.id, output.persist);
      this.#host.trace?.(`${this.id} writes ${describePersist(output.persist)}`);
    }
    this.#host.oracle.observe(this.id);
    for (const message of output.sendNow) this.#host.send(message);
    if (output.persist !== undefined) this.disk.begin(output.persist);
    this.#holdBack(output.sendAfterPersist);
    if (output.restore !== undefined) this.#restore(output.restore);
    for (const entry of output.committed) this.#apply(entry);
    for (const read of output.reads) {
      this.#host.trace?.(`${this.id} ${describeRead(read)}`);
      this.#host.readEnded(this.id, read);
    }
    for (const request of output.fetch) {
      this.#host.trace?.(`${this.id} fetches ${describeFetch(request)}`);
      this.tasks.push({ type: 'fetch', request });
    }
    for (const request of output.snapshotReads) this.tasks.push({ type: 'readChunk', request });
    for (const chunk of output.snapshotChunks) this.tasks.push({ type: 'stageChunk', chunk });
    for (const event of output.events) {
      this.#host.trace?.(`${this.id} ${describeEvent(event)}`);
      this.#host.happened(this.id, event);
    }
  }

  #holdBack(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    const last = this.disk.pending.at(-1);
    if (last === undefined) for (const message of messages) this.#host.send(message);
    else this.#heldBack.push({ after: last.token, messages });
  }

  #releaseHeldBack(token: PersistToken): void {
    while (this.#heldBack[0] !== undefined && this.#heldBack[0].after <= token) {
      for (const message of this.#heldBack.shift()?.messages ?? []) this.#host.send(message);
    }
  }

  #restore(snapshot: SnapshotMeta): void {
    const stored = this.disk.snapshot;
    invariant(stored?.meta.index === snapshot.index, 'restored before it is durable', snapshot);
    this.#host.trace?.(`${this.id} restores snapshot ${snapshot.index}/${snapshot.term}`);
    invariant(snapshot.index >= this.machine.index, 'the state goes back in time', snapshot);
    this.machine.restore(stored.bytes);
    this.#host.oracle.applied(this.id, this.machine.index, this.machine.hash);
  }

  #apply(entry: Output['committed'][number]): void {
    this.machine.apply(entry);
    this.#host.trace?.(`${this.id} applies ${entryText(entry)}`);
    this.#host.oracle.applied(this.id, entry.index, this.machine.hash);
    const command = entry.type === 'command' ? String.fromCharCode(...entry.data) : '';
    this.#host.applied(this.id, entry.index, command);
  }

  /** As the log store's `slice`: never none, unless the range is not there. */
  #fetch(request: FetchRequest): void {
    const entries = [];
    let bytes = 0;
    for (let index = request.from; index <= request.through; index++) {
      const entry = this.disk.entryAt(index);
      if (entry === undefined) break;
      bytes += entry.data.length;
      if (entries.length > 0 && bytes > request.maxBytes) break;
      entries.push(entry);
    }
    this.raft?.entriesFetched(request, entries.length > 0 ? entries : undefined);
    this.#host.oracle.count('fetched');
  }

  #readChunk(request: SnapshotReadRequest): void {
    const { to, term, snapshot, offset } = request;
    const stored = this.disk.snapshot;
    if (stored === undefined || stored.meta.index !== snapshot.index) {
      this.raft?.snapshotChunkSent(request, 'failed');
      return;
    }
    const end = Math.min(stored.bytes.length, offset + this.#host.chunkBytes);
    this.#host.send({
      type: 'snapshotChunkRequest',
      from: this.id,
      to,
      term,
      snapshot: stored.meta,
      offset,
      data: stored.bytes.subarray(offset, end),
      last: end === stored.bytes.length,
    });
    this.raft?.snapshotChunkSent(request, 'sent');
  }

  #stageChunk(chunk: SnapshotChunkRequest): void {
    const { snapshot, offset, data, last } = chunk;
    const sameOne = (staged: Staging): boolean =>
      staged.index === snapshot.index && staged.term === snapshot.term;
    if (this.#staging === undefined || !sameOne(this.#staging)) {
      this.#staging = { index: snapshot.index, term: snapshot.term, bytes: new Uint8Array() };
    }
    const staged = this.#staging;
    const fits = offset === staged.bytes.length;
    if (fits) staged.bytes = concatenate(staged.bytes, data);
    const nextOffset = staged.bytes.length;
    const complete = fits && last;
    if (complete) {
      this.#staging = undefined;
      const current = this.disk.snapshot?.meta.index ?? -1;
      if (snapshot.index > current) {
        this.disk.saveSnapshot({ meta: snapshot, bytes: staged.bytes });
      }
    }
    this.#host.trace?.(
      `${this.id} stages snapshot ${snapshot.index}/${snapshot.term} from ${offset}, ` +
        (complete ? 'complete' : `holds ${nextOffset} bytes`),
    );
    this.raft?.snapshotChunkStaged(chunk, { nextOffset, complete });
  }

  #saveOwnSnapshot(snapshot: StoredSnapshot): void {
    const { meta } = snapshot;
    if (meta.index <= (this.disk.snapshot?.meta.index ?? 0)) return;
    this.disk.saveSnapshot(snapshot);
    this.#host.trace?.(`${this.id} has snapshot ${meta.index}/${meta.term} durable`);
    this.raft?.snapshotSaved(meta);
  }
}

function concatenate(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
