/** Starting and stopping: in which order store, transport, core and loop come up and go down. */
import { HoldfastError, InvariantError } from '../base/index.ts';
import type { RecoveredLog } from '../log-store/index.ts';
import { NO_TERM, Raft } from '../raft/index.ts';
import type { Membership, SnapshotMeta } from '../raft/index.ts';
import type { TransportHandlers } from '../transport/index.ts';
import { restoreError, restoreFrom } from './applier.ts';
import type { NodeOptions } from './contract.ts';
import { Engine } from './engine.ts';
import { checkConfiguration, Founding } from './founding.ts';
import type { FoundingOutcome } from './founding.ts';
import { Loop } from './loop.ts';
import { Peers } from './peers.ts';
import { raftOptions } from './raft-options.ts';
import { messageOf } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import { checkSeed, findSeed, isBlank, seedChunks, withoutSeed, type Seed } from './seed.ts';
import { bestFollower } from './transfers.ts';
import { Turn } from './turn.ts';

/** Handing over and finishing what is under way take at most so many election timeouts each. */
const STOP_TIMEOUTS = 3;
export class Lifecycle {
  readonly #options: NodeOptions;
  readonly #loop: Loop;
  readonly #runtime: Runtime;
  #phase: 'new' | 'starting' | 'running' | 'stopping' | 'stopped' = 'new';
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #founding: Founding | undefined;
  #foundingRecord: SnapshotMeta | undefined;
  #abortFounding: ((error: HoldfastError) => void) | undefined;
  #storeId = '';
  #peers: Peers | undefined;
  #engine: Engine | undefined;
  #turn: Turn | undefined;
  #fatal: HoldfastError | undefined;
  #sitsOut: string | undefined;

  constructor(options: NodeOptions) {
    this.#options = options;
    const { id, environment, settings } = options;
    this.#loop = new Loop(
      environment,
      settings.tickMs,
      () => this.#turn?.run(),
      (error) => this.#die(fatalError(error)),
    );
    this.#runtime = {
      id,
      environment,
      settings,
      post: (completion) => this.#loop.post(completion),
      schedule: () => this.#loop.schedule(),
    };
  }

  get phase(): 'new' | 'starting' | 'running' | 'stopping' | 'stopped' {
    return this.#phase;
  }

  get storeId(): string {
    return this.#storeId;
  }

  /** Undefined until this node takes part. */
  get engine(): Engine | undefined {
    return this.#engine;
  }

  /** The founding record, as long as nothing newer took its place. */
  get founding(): SnapshotMeta | undefined {
    return this.#foundingRecord;
  }

  /** Why no call is taken now, if so. */
  get refusal(): HoldfastError | undefined {
    const { id } = this.#options;
    if (this.#phase === 'running') return undefined;
    if (this.#phase === 'starting') {
      const missing = this.#founding?.missing() ?? [];
      const waiting = missing.length === 0 ? '' : `: waiting for ${missing.join(', ')}`;
      return new HoldfastError('no-leader', `${id} has not found its cluster yet${waiting}`);
    }
    return this.#fatal ?? new HoldfastError('stopped', `node ${id} is not running`);
  }

  /** Why this node was told not to lead. */
  get sitsOut(): string | undefined {
    return this.#sitsOut;
  }

  sitOut(reason: string | undefined): void {
    const engine = this.#engine;
    if (this.#phase !== 'running' || engine === undefined || reason === this.#sitsOut) return;
    this.#sitsOut = reason;
    this.#runtime.post(() => {
      if (reason === undefined) engine.permit.allow('operator');
      else engine.permit.forbid('operator');
    });
    this.#runtime.schedule();
  }

  start(): Promise<void> {
    if (this.#phase !== 'new') {
      const text = 'a node can be started once; create another';
      return Promise.reject(new HoldfastError('invalid-argument', text));
    }
    this.#phase = 'starting';
    this.#starting = this.#startOrRelease();
    return this.#starting;
  }

  async #startOrRelease(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      this.#end(messageOf(error));
      await this.#release();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const { id, peers, store, transport, environment } = this.#options;
    if (peers.size > 0 && !peers.has(id)) {
      const text = `the peer list must name this node, ${id}: ${[...peers.keys()].join(', ')}`;
      throw new HoldfastError('configuration-mismatch', text);
    }
    let recovered = await store.open({ newStoreId: environment.newId() });
    this.#storeId = recovered.storeId;
    for (const line of recovered.repaired) environment.log('warn', line);
    const seed = findSeed(recovered);
    if (seed !== undefined) checkSeed(seed, this.#options);
    this.#peers = this.#createPeers(seed);
    const isNew = seed !== undefined || isBlank(recovered);
    if (isNew) {
      await transport.start(this.#handlers());
      recovered = await this.#find(recovered, seed);
    }
    this.#checkStillStarting();
    await this.#takePart(recovered, isNew);
    if (!isNew) await transport.start(this.#handlers());
    this.#checkStillStarting();
    this.#phase = 'running';
    this.#peers.announce();
    this.#loop.start();
  }

  #checkStillStarting(): void {
    if (this.#phase === 'starting') return;
    throw new HoldfastError('stopped', 'the node was stopped while it was starting');
  }

  /** Founds or finds the cluster, and writes down what it is. */
  async #find(recovered: RecoveredLog, seed: Seed | undefined): Promise<RecoveredLog> {
    const { environment, store } = this.#options;
    const outcome = await new Promise<FoundingOutcome>((resolve, reject) => {
      this.#abortFounding = reject;
      this.#founding = new Founding(this.#options, this.#storeId, seed, resolve);
      this.#peers!.announce();
      const missing = this.#founding.missing();
      if (missing.length > 0) environment.log('info', `waiting for ${missing.join(', ')}`);
      this.#founding.begin();
    });
    if (outcome.type === 'refused') throw outcome.error;
    environment.log('info', outcome.how);
    if (outcome.type === 'join') return seed === undefined ? recovered : withoutSeed(recovered);
    const reader = seed === undefined ? undefined : await store.openSnapshot();
    await store.saveSnapshot(
      outcome.record,
      reader === undefined ? noChunks() : seedChunks(reader),
    );
    return { ...recovered, snapshot: outcome.record };
  }

  async #takePart(recovered: RecoveredLog, isNew: boolean): Promise<void> {
    const { store, stateMachine, environment } = this.#options;
    const { snapshot } = recovered;
    if (snapshot?.term === NO_TERM) this.#foundingRecord = snapshot;
    const raft = new Raft(raftOptions(this.#options, this.#storeId, isNew), recovered);
    if (!isNew) {
      const lines = checkConfiguration(this.#options, this.#storeId, raft.membership);
      for (const line of lines) environment.log('warn', line);
    }
    if (snapshot !== undefined && snapshot.index > 0) {
      await restoreFrom(store, stateMachine, environment).catch((error: unknown) => {
        throw restoreError(error);
      });
    }
    const engine = new Engine({
      runtime: this.#runtime,
      options: this.#options,
      raft,
      peers: this.#peers!,
      storeId: this.#storeId,
      startTerm: recovered.metadata.term,
      durableLast: recovered.lastIndex,
      applied: { index: raft.status().appliedIndex, time: snapshot?.time ?? 0 },
      fatal: (error) => this.#die(error),
    });
    this.#engine = engine;
    const leaderChanged = (): void => this.#options.onLeaderChanged?.();
    this.#turn = new Turn(engine, this.#loop, { leaderChanged });
  }

  #createPeers(seed: Seed | undefined): Peers {
    return new Peers(this.#options, this.#storeId, seed, {
      membership: (): Membership | undefined =>
        this.#engine?.raft.membership ?? this.#foundingRecord?.membership,
      founding: () =>
        this.#engine === undefined ||
        this.#engine.raft.snapshotIndex === this.#foundingRecord?.index
          ? this.#foundingRecord
          : undefined,
      isLeader: () => this.#engine?.raft.role === 'leader',
      disagreement: (text) => this.#founding?.disagreement(text),
    });
  }

  #handlers(): TransportHandlers {
    const peers = this.#peers!;
    return {
      identity: () => peers.identity(),
      admit: (peer) => peers.admit(peer),
      peerSeen: (peer) => {
        peers.seen(peer);
        this.#founding?.peerSeen(peer);
        this.#loop.schedule();
      },
      message: (message, peer) => this.#turn?.received(message, peer),
      peerLost: (id) => {
        peers.lost(id);
        this.#founding?.peerLost(id);
        this.#turn?.peerLost(id);
      },
      notice: (line) => this.#options.environment.log('warn', line),
    };
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const phase = this.#phase;
    const { id } = this.#options;
    if (phase === 'starting') {
      // `start` finds out at its next step, releases everything and rejects.
      this.#phase = 'stopping';
      this.#abortFounding?.(new HoldfastError('stopped', `node ${id} was stopped`));
      await this.#starting?.catch(() => {});
      return;
    }
    if (phase !== 'running') {
      if (this.#fatal === undefined) this.#phase = 'stopped';
      return;
    }
    this.#phase = 'stopping';
    await this.#handOver();
    await this.#finishPending();
    this.#end(`node ${id} was stopped`);
    await this.#release();
  }

  /** A cluster whose leader says goodbye has the next one before an election timeout runs out. */
  async #handOver(): Promise<void> {
    const { raft } = this.#engine!;
    const successor = raft.role === 'leader' ? bestFollower(raft) : undefined;
    if (successor !== undefined) {
      this.#runtime.post(() => raft.transfer(successor));
      await this.#waitFor(() => raft.role !== 'leader');
    }
    const { voters } = raft.membership;
    const alone = voters.length === 1 && raft.role === 'leader';
    if (!alone) this.#runtime.post(() => this.#engine!.permit.forbid('stop'));
  }

  async #finishPending(): Promise<void> {
    const engine = this.#engine!;
    await this.#waitFor(() => {
      return engine.pendingCommands + engine.reads.length === 0 && engine.writer.idle;
    });
  }

  /** Looks after every turn; gives up in silence after a while. */
  #waitFor(check: () => boolean): Promise<void> {
    const { environment, settings } = this.#options;
    return new Promise((resolve) => {
      const patienceMs = STOP_TIMEOUTS * settings.electionTimeoutMs;
      const cancel = environment.setTimer(patienceMs, resolve);
      this.#turn!.until(() => {
        if (this.#phase === 'stopping' && !check()) return false;
        cancel();
        resolve();
        return true;
      });
      this.#loop.schedule();
    });
  }

  #end(message: string): void {
    this.#phase = 'stopped';
    this.#loop.stop();
    this.#engine?.failAll(message);
    this.#engine?.stop();
  }

  async #release(): Promise<void> {
    const { transport, store, environment } = this.#options;
    for (const part of [transport, store]) {
      await part.close().catch((error: unknown) => {
        environment.log('warn', `closing failed: ${messageOf(error)}`);
      });
    }
  }

  /** The node cannot go on: nothing more is written or sent. */
  #die(error: HoldfastError): void {
    if (this.#phase === 'stopped') return;
    this.#fatal = error;
    this.#options.environment.log('error', `the node stops: ${error.message}`);
    this.#end(`the node stopped: ${error.message}`);
    this.#stopping ??= this.#release();
    this.#options.onFatal?.(error);
  }
}

function fatalError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const kind = error instanceof InvariantError ? 'a broken invariant' : 'an unexpected error';
  return new HoldfastError('internal', `${kind}: ${messageOf(error)}`, {
    outcome: 'unknown',
    cause: error,
  });
}

async function* noChunks(): AsyncGenerator<Uint8Array> {
  // The founding record is all in its description.
}
