import { ByteWriter } from '../base/index.ts';
import { causeNumber } from './codec/events.ts';
import { writeLimits } from './codec/limits.ts';
import { writeRecord } from './codec/record.ts';
import { encodeResult } from './codec/result.ts';
import { writeSessionFields } from './codec/session.ts';
import { crc32 } from './crc32.ts';
import type { DedupWindow } from './dedup-window.ts';
import { changeAt, changeCount } from './history.ts';
import type { KeyEntry } from './key-version.ts';
import type { Session } from './sessions.ts';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_MARK,
  CHUNK_BYTES,
  ItemTag,
  SNAPSHOT_VERSION,
} from './snapshot-format.ts';
import type { RegistryState } from './state.ts';
import type { RegistryLimits, Revision } from './types.ts';

/** Keys looked at before the writer gets a chance to hand out a block. */
const KEYS_PER_STEP = 512;

interface SessionCut {
  readonly session: Session;
  readonly window: DedupWindow;
}

/**
 * The state at one moment, without a copy of it: keys and history are versioned and only pinned,
 * the sessions' windows are copied when they next change, and only the list of sessions is copied
 * now.
 */
export class SnapshotCut {
  readonly revision: Revision;
  readonly compactRevision: Revision;
  readonly time: number;
  readonly limits: RegistryLimits;
  readonly sessions: readonly SessionCut[];
  readonly #state: RegistryState;
  /** Why the cut cannot be read any more. */
  #closed: string | undefined;

  constructor(state: RegistryState) {
    this.#state = state;
    this.revision = state.store.revision;
    this.compactRevision = state.compaction.compactRevision;
    this.time = state.store.time;
    this.limits = state.limits;
    this.sessions = Array.from(state.store.sessions.values(), (session) => {
      session.window.shared = true;
      return { session, window: session.window };
    });
    state.compaction.pin(this);
  }

  get open(): boolean {
    return this.#closed === undefined;
  }

  /** Throws when the cut was closed. */
  get state(): RegistryState {
    if (this.#closed !== undefined) throw new Error(`the snapshot was given up: ${this.#closed}`);
    return this.#state;
  }

  /** Lets history be cleaned again. Idempotent. */
  close(reason: string): void {
    this.#closed ??= reason;
    this.#state.compaction.unpin(this);
  }
}

/** Encodes a cut bit by bit, as the chunks are asked for, and closes it at the end. */
export function* writeSnapshot(cut: SnapshotCut): Generator<Uint8Array, void, undefined> {
  const blocks = new BlockWriter();
  try {
    const steps = writeItems(cut, blocks.items);
    while (steps.next().done !== true) {
      if (blocks.items.length >= BLOCK_BYTES) yield* blocks.finish();
    }
    blocks.items.u8(ItemTag.end).varint(blocks.count).u32(blocks.digest);
    yield* blocks.finish();
  } finally {
    cut.close('it was read to its end, or its reader left');
  }
}

/** Yields after every few items. */
function* writeItems(cut: SnapshotCut, items: ByteWriter): Generator<undefined> {
  items.u8(ItemTag.meta).varint(SNAPSHOT_VERSION);
  items.varint(cut.revision).varint(cut.compactRevision).varint(cut.time);
  writeLimits(items, cut.limits);
  for (const { session, window } of cut.sessions) {
    writeSession(items, session, window);
    yield undefined;
    for (const [sequence, result] of window.answers()) {
      items.u8(ItemTag.answer).varint(sequence).bytes(encodeResult(result));
      yield undefined;
    }
  }
  yield* writeKeys(cut, items);
  yield* writeHistory(cut, items);
}

function writeSession(items: ByteWriter, session: Session, window: DedupWindow): void {
  items.u8(ItemTag.session);
  writeSessionFields(items, session);
  items.varint(window.floor);
}

/** The keys as of the compact revision. */
function* writeKeys(cut: SnapshotCut, items: ByteWriter): Generator<undefined> {
  let start: string | undefined = '';
  while (start !== undefined) {
    let left = KEYS_PER_STEP;
    const from: string = start;
    start = undefined;
    cut.state.store.scan(from, (entry: KeyEntry) => {
      if (left-- <= 0 || items.length >= BLOCK_BYTES) {
        start = entry.key;
        return false;
      }
      const version = entry.at(cut.compactRevision);
      if (version !== undefined) writeRecord(items.u8(ItemTag.key), version);
      return true;
    });
    yield undefined;
  }
}

/** What was changed after the compact revision. */
function* writeHistory(cut: SnapshotCut, items: ByteWriter): Generator<undefined> {
  for (let revision = cut.compactRevision + 1; revision <= cut.revision; revision++) {
    const changes = cut.state.store.history.at(revision)!;
    const count = changeCount(changes);
    items.u8(ItemTag.revision).varint(count);
    for (let i = 0; i < count; i++) {
      const { type, record, cause } = changeAt(changes, i);
      if (type === 'put') items.u8(ItemTag.put);
      else items.u8(ItemTag.delete).u8(causeNumber(cause));
      writeRecord(items, record);
      yield undefined;
    }
  }
}

/** Frames items into blocks, and blocks into chunks. */
class BlockWriter {
  /** The items of the block under way; many a state is far smaller than a block. */
  readonly items = new ByteWriter();
  count = 0;
  /** Over the checksums of the blocks so far. */
  digest = 0;

  /** The chunks of the block under way, if there is anything in it. */
  *finish(): Generator<Uint8Array> {
    const payload = this.items.finish();
    if (payload.length === 0) return;
    const block = new Uint8Array(BLOCK_HEADER_BYTES + payload.length);
    const header = new DataView(block.buffer);
    header.setUint32(0, BLOCK_MARK, true);
    header.setUint32(4, payload.length, true);
    header.setUint32(8, crc32(payload), true);
    block.set(payload, BLOCK_HEADER_BYTES);
    this.count++;
    this.digest = crc32(block.subarray(8, BLOCK_HEADER_BYTES), this.digest);
    this.items.reset();
    for (let at = 0; at < block.length; at += CHUNK_BYTES) {
      yield block.subarray(at, Math.min(at + CHUNK_BYTES, block.length));
    }
  }
}
