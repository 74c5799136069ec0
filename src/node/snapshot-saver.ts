/** Saves this node's own snapshots while entries go on being applied. */
import type { LogStore } from '../log-store/index.ts';
import type { Entry, LogIndex, RaftCore, SnapshotMeta } from '../raft/index.ts';
import type { Environment } from './contract.ts';
import { messageOf, nextTurn, settle } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import { SnapshotPoints } from './snapshot-points.ts';
import type { StateMachine } from './state-machine.ts';

/**
 * One snapshot is saved at a time: a point reached meanwhile is passed over, and the next one
 * counts again (openraft dropped every later one).
 */
export class SnapshotSaver {
  readonly #runtime: Runtime;
  readonly #raft: RaftCore;
  readonly #store: LogStore;
  readonly #stateMachine: StateMachine;
  readonly #points: SnapshotPoints;
  #saving = false;

  constructor(runtime: Runtime, raft: RaftCore, store: LogStore, stateMachine: StateMachine) {
    this.#runtime = runtime;
    this.#raft = raft;
    this.#store = store;
    this.#stateMachine = stateMachine;
    const { snapshotEveryEntries, snapshotEveryBytes } = runtime.settings;
    this.#points = new SnapshotPoints(snapshotEveryEntries, snapshotEveryBytes);
  }

  /** To be called right after each entry was applied: the cut is the state at this very entry. */
  applied(entry: Entry): void {
    const stateBytes = this.#stateMachine.snapshotBytes ?? 0;
    if (!this.#points.passed(entry, stateBytes) || this.#saving) return;
    const { index, term, time } = entry;
    const meta: SnapshotMeta = { index, term, time, membership: this.#raft.membershipAt(index) };
    this.#saving = true;
    settle(
      this.#runtime,
      this.#store.saveSnapshot(
        meta,
        cutNow(this.#stateMachine.snapshot(), this.#runtime.environment),
      ),
      () => this.#saved(meta),
      (error) => this.#failed(meta, error),
    );
  }

  restored(): void {
    this.#points.restart();
  }

  #saved(meta: SnapshotMeta): void {
    this.#saving = false;
    // A newer one was received while this one was being written.
    if (this.#raft.snapshotIndex >= meta.index) return;
    this.#raft.snapshotSaved(meta);
    const through = (meta.index - this.#runtime.settings.trailingEntries) as LogIndex;
    if (through >= this.#raft.firstIndex) this.#raft.compact(through);
  }

  #failed(meta: SnapshotMeta, error: unknown): void {
    this.#saving = false;
    const text = `snapshot at ${meta.index} was not saved: ${messageOf(error)}`;
    this.#runtime.environment.log('warn', text);
  }
}

/**
 * One chunk a turn of the event loop: a store that is done at once would otherwise take them all in
 * one, and hold up everything else as long.
 *
 * Asks for the first chunk at once. A generator does nothing before, and a store that takes its
 * time would get the state of a later entry, which a restart then applies once more.
 */
function cutNow(
  chunks: AsyncIterable<Uint8Array>,
  environment: Environment,
): AsyncIterable<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = iterator.next();
  // Whoever iterates hears of it.
  first.catch(() => {});
  return startingWith(first, iterator, environment);
}

async function* startingWith(
  first: Promise<IteratorResult<Uint8Array>>,
  iterator: AsyncIterator<Uint8Array>,
  environment: Environment,
): AsyncGenerator<Uint8Array> {
  let finished = false;
  try {
    for (let result = await first; ; result = await iterator.next()) {
      finished = result.done === true;
      if (result.done === true) return;
      yield result.value;
      await nextTurn(environment);
    }
  } finally {
    if (!finished) await iterator.return?.();
  }
}
