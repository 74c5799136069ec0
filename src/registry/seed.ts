/**
 * Seeds: what a new cluster begins with when it is made of another one's snapshot.
 *
 * A seed is the same state without sessions, since nobody of the new cluster could keep them alive:
 * they end as if all had expired, with what they owned. And it stands at a higher revision: the old
 * cluster may have gone on after the snapshot, and given out revisions and fencing tokens that the
 * snapshot does not know. Were the new one to give them out again, a resource could take an old
 * holder for the new one, and a watcher would resume in a history it never saw.
 */
import { applyCommand } from './apply.ts';
import { encodeCommand } from './codec/command.ts';
import { isReserved } from './reserved-keys.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { SnapshotCut, writeSnapshot } from './snapshot-writer.ts';
import { RegistryState } from './state.ts';
import type { CommandHeader, Revision, SessionId } from './types.ts';

const NOBODY: CommandHeader = {
  session: 0 as SessionId,
  sequence: 0,
  acknowledged: 0,
  node: '',
};

/** What a snapshot holds, counted. */
export interface SnapshotSummary {
  readonly revision: number;
  /** The oldest revision that can be read. */
  readonly compactRevision: number;
  /** Cluster time in ms. */
  readonly time: number;
  /** Keys that clients see; those of tables, maps and the like are not counted. */
  readonly keys: number;
  readonly sessions: number;
}

export interface RegistrySeed {
  /** Of the seed itself. */
  readonly summary: SnapshotSummary;
  /** The seed as a snapshot, from its beginning with every call. */
  chunks(): IterableIterator<Uint8Array>;
}

/** Reads a snapshot to count what is in it, or to make a seed of it. */
export class SnapshotImage {
  readonly #reader = new SnapshotReader();
  #state: RegistryState | undefined = undefined;

  /** The next bytes, however they are cut. @throws MalformedBytesError that says where */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** After the last bytes. @throws MalformedBytesError that says where */
  finish(): SnapshotSummary {
    this.#state = this.#reader.finish();
    return summaryOf(this.#state);
  }

  /**
   * The seed, once; the image is used up by it. `index` is the log index the snapshot was taken at,
   * `raiseBy` what to add to the revision. The same arguments give the same bytes.
   *
   * @throws RangeError when the raised revision would be above 2^53 - 1
   */
  seed(index: number, raiseBy: number): RegistrySeed {
    const state = this.#state;
    if (state === undefined) throw new Error('a seed is made once, of a finished image');
    this.#state = undefined;
    const { store } = state;
    const sessions = Array.from(store.sessions.values(), ({ id }) => id);
    const command = encodeCommand(NOBODY, { type: 'expireSessions', sessions });
    applyCommand(state, command, index, store.time);
    const revision = store.revision + raiseBy;
    if (!Number.isSafeInteger(revision)) {
      throw new RangeError(`revision ${store.revision} raised by ${raiseBy} is above 2^53 - 1`);
    }
    const raised = new RegistryState(state.limits, revision as Revision, store.time);
    store.scan('', (entry) => {
      if (entry.live !== undefined) raised.store.load(entry.live);
      return true;
    });
    return {
      summary: summaryOf(raised),
      chunks: () => writeSnapshot(new SnapshotCut(raised)),
    };
  }
}

function summaryOf({ store, compaction }: RegistryState): SnapshotSummary {
  let keys = 0;
  store.scan('', (entry) => {
    if (entry.live !== undefined && !isReserved(entry.key)) keys++;
    return true;
  });
  return {
    revision: store.revision,
    compactRevision: compaction.compactRevision,
    time: store.time,
    keys,
    sessions: store.sessions.size,
  };
}
