/** Gathers what inputs ask for until the node takes it. */
import type {
  Entry,
  FetchRequest,
  Message,
  Output,
  PersistRequest,
  RaftEvent,
  ReadResult,
  SnapshotChunkRequest,
  SnapshotMeta,
  SnapshotReadRequest,
} from './types.ts';

export class Outbox {
  sendNow: Message[] = [];
  sendAfterPersist: Message[] = [];
  restore: SnapshotMeta | undefined = undefined;
  reads: ReadResult[] = [];
  fetch: FetchRequest[] = [];
  snapshotReads: SnapshotReadRequest[] = [];
  snapshotChunks: SnapshotChunkRequest[] = [];
  events: RaftEvent[] = [];

  get isEmpty(): boolean {
    return (
      this.sendNow.length === 0 &&
      this.sendAfterPersist.length === 0 &&
      this.restore === undefined &&
      this.reads.length === 0 &&
      this.fetch.length === 0 &&
      this.snapshotReads.length === 0 &&
      this.snapshotChunks.length === 0 &&
      this.events.length === 0
    );
  }

  take(persist: PersistRequest | undefined, committed: readonly Entry[]): Output {
    const output: Output = {
      sendNow: this.sendNow,
      persist,
      sendAfterPersist: this.sendAfterPersist,
      restore: this.restore,
      committed,
      reads: this.reads,
      fetch: this.fetch,
      snapshotReads: this.snapshotReads,
      snapshotChunks: this.snapshotChunks,
      events: this.events,
    };
    this.sendNow = [];
    this.sendAfterPersist = [];
    this.restore = undefined;
    this.reads = [];
    this.fetch = [];
    this.snapshotReads = [];
    this.snapshotChunks = [];
    this.events = [];
    return output;
  }
}
