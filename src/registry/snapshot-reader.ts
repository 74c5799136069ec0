import { ByteReader, ByteWriter, MalformedBytesError } from '../base/index.ts';
import { causeOf } from './codec/events.ts';
import { readLimits } from './codec/limits.ts';
import { readRecord } from './codec/record.ts';
import { decodeResult } from './codec/result.ts';
import { crc32 } from './crc32.ts';
import { copyVersion } from './key-version.ts';
import { limitsFault } from './limits.ts';
import { Session } from './sessions.ts';
import { BLOCK_HEADER_BYTES, BLOCK_MARK, ItemTag, SNAPSHOT_VERSION } from './snapshot-format.ts';
import { RegistryState } from './state.ts';
import type {
  KeyEvent,
  KeyRecord,
  KeyView,
  RegistryResult,
  TxnBranchResult,
  TxnOpResult,
  Revision,
  SessionId,
} from './types.ts';

/** A block cannot be longer; a length above it is damage. */
const MAX_BLOCK_BYTES = 2 ** 30;

/**
 * Builds a state from a snapshot's chunks, however they are cut. Anything damaged, missing or out
 * of place makes `push` or `finish` throw a `MalformedBytesError` that says where.
 */
export class SnapshotReader {
  readonly #buffered = new ByteWriter();
  #blocks = 0;
  #digest = 0;
  #state: RegistryState | undefined;
  /** The revision that the snapshot says it was cut at. */
  #revision = 0;
  #session: Session | undefined;
  /** Changes still to come of the revision under way. */
  #changesLeft = 0;
  #lastTag: number = ItemTag.meta;
  #ended = false;

  push(chunk: Uint8Array): void {
    this.#buffered.raw(chunk);
    const bytes = this.#buffered.finish();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    while (bytes.length - at >= BLOCK_HEADER_BYTES) {
      if (view.getUint32(at, true) !== BLOCK_MARK) this.#damaged('it does not begin like one');
      const length = view.getUint32(at + 4, true);
      if (length > MAX_BLOCK_BYTES) this.#damaged(`it claims to be ${length} bytes long`);
      const end = at + BLOCK_HEADER_BYTES + length;
      if (end > bytes.length) break;
      this.#readBlock(bytes.subarray(at + BLOCK_HEADER_BYTES, end), view.getUint32(at + 8, true));
      at = end;
    }
    if (at === 0) return;
    const rest = bytes.slice(at);
    this.#buffered.reset().raw(rest);
  }

  /** The state, once the last chunk was pushed. */
  finish(): RegistryState {
    const state = this.#state;
    if (this.#buffered.length > 0) this.#damaged('it is cut off');
    if (state === undefined || !this.#ended) this.#damaged('it is missing, with all that follow');
    state.store.locks.restoreOrder();
    return state;
  }

  #damaged(why: string): never {
    throw new MalformedBytesError(`damaged snapshot: block ${this.#blocks}: ${why}`);
  }

  #readBlock(payload: Uint8Array, checksum: number): void {
    if (this.#ended) this.#damaged('it comes after the end');
    if (crc32(payload) !== checksum) this.#damaged('its checksum does not match its contents');
    const reader = new ByteReader(payload);
    try {
      while (reader.remaining > 0) this.#readItem(reader);
    } catch (error) {
      if (!(error instanceof MalformedBytesError)) throw error;
      if (error.message.startsWith('damaged')) throw error;
      this.#damaged(error.message);
    }
    this.#blocks++;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, checksum, true);
    this.#digest = crc32(bytes, this.#digest);
  }

  #readItem(reader: ByteReader): void {
    const tag = reader.u8();
    if (tag === ItemTag.meta) {
      this.#readMeta(reader);
      return;
    }
    const state = this.#state;
    if (state === undefined) this.#damaged('the snapshot does not begin with its beginning');
    this.#checkOrder(tag);
    switch (tag) {
      case ItemTag.session:
        this.#readSession(reader, state);
        return;
      case ItemTag.answer:
        this.#readAnswer(reader, state);
        return;
      case ItemTag.key:
        state.store.load(sharingNode(state, readRecord(reader)));
        return;
      case ItemTag.revision:
        this.#changesLeft = reader.varint();
        return;
      case ItemTag.put:
        this.#readChange(reader, state, 'put');
        return;
      case ItemTag.delete:
        this.#readChange(reader, state, 'delete');
        return;
      case ItemTag.end:
        this.#readEnd(reader, state);
        return;
      default:
        this.#damaged(`no item has the number ${tag}`);
    }
  }

  /** Sessions, keys and revisions come in this order; changes only where some are due. */
  #checkOrder(tag: number): void {
    const isChange = tag === ItemTag.put || tag === ItemTag.delete;
    if (isChange !== this.#changesLeft > 0) this.#damaged(`item ${tag} is out of place`);
    if (isChange || tag === ItemTag.answer) return;
    if (tag < this.#lastTag) this.#damaged(`item ${tag} comes after ${this.#lastTag}`);
    this.#lastTag = tag;
  }

  #readMeta(reader: ByteReader): void {
    if (this.#state !== undefined) this.#damaged('the snapshot begins twice');
    const version = reader.varint();
    if (version !== SNAPSHOT_VERSION) {
      this.#damaged(`snapshot of format version ${version}, not ${SNAPSHOT_VERSION}`);
    }
    this.#revision = reader.varint();
    const compactRevision = reader.varint() as Revision;
    const time = reader.varint();
    const limits = readLimits(reader);
    const fault = limitsFault(limits);
    if (fault !== undefined) this.#damaged(fault);
    this.#state = new RegistryState(limits, compactRevision, time);
  }

  #readSession(reader: ByteReader, state: RegistryState): void {
    const id = reader.varint() as SessionId;
    const ttlMs = reader.varint();
    const label = reader.byteString();
    const metadata = new Uint8Array(reader.bytes());
    const openedAt = reader.varint();
    this.#session = new Session(id, ttlMs, label, metadata, openedAt, reader.boolean());
    this.#session.window.acknowledge(reader.varint());
    state.store.sessions.add(this.#session);
  }

  #readAnswer(reader: ByteReader, state: RegistryState): void {
    if (this.#session === undefined) this.#damaged('an answer without a session');
    const sequence = reader.varint();
    this.#session.window.record(sequence, detached(state, decodeResult(reader.bytes())));
  }

  #readChange(reader: ByteReader, state: RegistryState, type: KeyEvent['type']): void {
    const cause = type === 'put' ? 'request' : causeOf(reader.u8());
    state.store.replay(type, sharingNode(state, readRecord(reader)), cause);
    if (--this.#changesLeft === 0) state.commit();
  }

  #readEnd(reader: ByteReader, state: RegistryState): void {
    const blocks = reader.varint();
    const digest = reader.u32();
    if (blocks !== this.#blocks || digest !== this.#digest) {
      this.#damaged(`the end of a snapshot of ${blocks} blocks, but other blocks came before it`);
    }
    if (state.store.revision !== this.#revision) {
      this.#damaged(`history ends at ${state.store.revision}, not at ${this.#revision}`);
    }
    this.#ended = true;
  }
}

/** Records written through the same node share its name. */
function sharingNode(state: RegistryState, record: KeyRecord): KeyRecord {
  return { ...record, node: state.nodeName(record.node) };
}

/** The result with its values copied out of the snapshot's block. */
function detached(state: RegistryState, result: RegistryResult): RegistryResult {
  if (result.type === 'key') return { ...result, view: detachedView(state, result.view) };
  if (result.type === 'stored') return { ...result, record: detachedRecord(state, result.record) };
  return result.type === 'txn' ? { ...result, ...detachedBranch(state, result) } : result;
}

function detachedBranch(
  state: RegistryState,
  { succeeded, results }: TxnBranchResult,
): TxnBranchResult {
  return { succeeded, results: results.map((result) => detachedOp(state, result)) };
}

function detachedOp(state: RegistryState, result: TxnOpResult): TxnOpResult {
  if ('view' in result) return { ...result, view: detachedView(state, result.view) };
  if ('views' in result) {
    return { ...result, views: result.views.map((view) => detachedView(state, view)) };
  }
  return result.type === 'txn' ? { type: 'txn', ...detachedBranch(state, result) } : result;
}

function detachedView(state: RegistryState, view: KeyView): KeyView {
  return view.record === undefined ? view : { ...view, record: detachedRecord(state, view.record) };
}

function detachedRecord(state: RegistryState, record: KeyRecord): KeyRecord {
  return copyVersion(sharingNode(state, record), undefined);
}
