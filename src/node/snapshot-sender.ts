/** Sends chunks of this node's snapshot to followers that need it. */
import type { LogStore, SnapshotReader } from '../log-store/index.ts';
import type { NodeId, RaftCore, SnapshotMeta, SnapshotReadRequest } from '../raft/index.ts';
import type { Transport } from '../transport/index.ts';
import { messageOf, settle } from './runtime.ts';
import type { Runtime } from './runtime.ts';

/** One follower's transfer. The reader stays open, so that a newer snapshot does not break it. */
interface Transfer {
  readonly to: NodeId;
  reader: SnapshotReader | undefined;
  /** The chunk wanted now. */
  request: SnapshotReadRequest | undefined;
  /** Being read from the store. */
  reading: boolean;
  usedAt: number;
}

/** A transfer that nobody asks for any more is closed after so many election timeouts. */
const IDLE_TIMEOUTS = 20;

export class SnapshotSender {
  readonly #runtime: Runtime;
  readonly #raft: RaftCore;
  readonly #store: LogStore;
  readonly #transport: Transport;
  readonly #transfers = new Map<NodeId, Transfer>();

  constructor(runtime: Runtime, raft: RaftCore, store: LogStore, transport: Transport) {
    this.#runtime = runtime;
    this.#raft = raft;
    this.#store = store;
    this.#transport = transport;
  }

  wanted(request: SnapshotReadRequest): void {
    const { to } = request;
    let transfer = this.#transfers.get(to);
    if (transfer === undefined) {
      transfer = { to, reader: undefined, request: undefined, reading: false, usedAt: 0 };
      this.#transfers.set(to, transfer);
    }
    if (transfer.request !== undefined && !transfer.reading) this.#fail(transfer);
    transfer.request = request;
    transfer.usedAt = this.#runtime.environment.now();
    this.#advance(transfer);
  }

  /** Goes on where a stream had no room, and lets go of what is no longer used. */
  tick(): void {
    if (this.#transfers.size === 0) return;
    const { environment, settings } = this.#runtime;
    const idleSince = environment.now() - IDLE_TIMEOUTS * settings.electionTimeoutMs;
    for (const transfer of this.#transfers.values()) {
      this.#advance(transfer);
      if (transfer.request === undefined && transfer.usedAt < idleSince) this.#close(transfer);
    }
  }

  stop(): void {
    for (const transfer of this.#transfers.values()) this.#close(transfer);
  }

  #advance(transfer: Transfer): void {
    const { request } = transfer;
    if (request === undefined || transfer.reading) return;
    if (request.term !== this.#raft.term || this.#raft.role !== 'leader') {
      transfer.request = undefined;
      return;
    }
    if (!this.#transport.snapshotReady(transfer.to)) return;
    transfer.reading = true;
    settle(
      this.#runtime,
      this.#read(transfer, request),
      (chunk) => this.#send(transfer, request, chunk),
      (error) => this.#unreadable(transfer, error),
    );
  }

  async #read(
    transfer: Transfer,
    request: SnapshotReadRequest,
  ): Promise<{ readonly data: Uint8Array; readonly last: boolean }> {
    const reader = await this.#readerFor(transfer, request.snapshot);
    const { snapshotChunkBytes } = this.#runtime.settings;
    const data = await reader.read(request.offset, snapshotChunkBytes);
    return { data, last: request.offset + data.length >= reader.size };
  }

  async #readerFor(transfer: Transfer, wanted: SnapshotMeta): Promise<SnapshotReader> {
    if (transfer.reader !== undefined && isSame(transfer.reader.meta, wanted)) {
      return transfer.reader;
    }
    await transfer.reader?.close();
    transfer.reader = await this.#store.openSnapshot();
    const found = transfer.reader?.meta;
    if (transfer.reader === undefined || found === undefined || !isSame(found, wanted)) {
      throw new Error(`snapshot ${wanted.index} is no longer the current one`);
    }
    return transfer.reader;
  }

  #send(
    transfer: Transfer,
    request: SnapshotReadRequest,
    chunk: { readonly data: Uint8Array; readonly last: boolean },
  ): void {
    transfer.reading = false;
    // Another request came in while this one was read: it takes precedence.
    if (transfer.request !== request) {
      this.#advance(transfer);
      return;
    }
    transfer.request = undefined;
    if (request.term !== this.#raft.term || this.#raft.role !== 'leader') return;
    const { to, term, snapshot, offset } = request;
    const from = this.#runtime.id;
    this.#transport.send({
      type: 'snapshotChunkRequest',
      from,
      to,
      term,
      snapshot,
      offset,
      data: chunk.data,
      last: chunk.last,
    });
    this.#raft.snapshotChunkSent(request, 'sent');
  }

  #unreadable(transfer: Transfer, error: unknown): void {
    transfer.reading = false;
    const text = `snapshot chunk for ${transfer.to} cannot be read: ${messageOf(error)}`;
    this.#runtime.environment.log('warn', text);
    // A store that was opened anew does not know its earlier readers.
    this.#letGo(transfer);
    this.#fail(transfer);
  }

  #fail(transfer: Transfer): void {
    const { request } = transfer;
    transfer.request = undefined;
    if (request !== undefined) this.#raft.snapshotChunkSent(request, 'failed');
  }

  #close(transfer: Transfer): void {
    this.#transfers.delete(transfer.to);
    this.#letGo(transfer);
  }

  #letGo(transfer: Transfer): void {
    const { reader } = transfer;
    transfer.reader = undefined;
    // A reader that fails to close holds nothing this node still needs.
    reader?.close().catch(() => {});
  }
}

function isSame(a: SnapshotMeta, b: SnapshotMeta): boolean {
  return a.index === b.index && a.term === b.term;
}
