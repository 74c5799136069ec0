/**
 * A backup as bytes:
 *
 *   "HFBACKUP" · u32 format version · frames
 *   frame: u8 kind · u32 payload length · u32 CRC-32 of kind, length and payload · payload
 *
 * The frames: one `metadata`, the registry's snapshot in any number of `chunk`s, one `end` with the
 * SHA-256 of every byte before that frame. The CRCs tell where damage is, the hash that there is
 * none; without its end a backup is not whole.
 */
import { createHash, type Hash } from 'node:crypto';
import { ByteReader, ByteWriter, HoldfastError, MalformedBytesError } from '../base/index.ts';
import type { BackupOrigin } from '../protocol/index.ts';
import { crc32 } from '../wire/index.ts';

const FORMAT_VERSION = 1;
const MAGIC = Uint8Array.from('HFBACKUP', (char) => char.charCodeAt(0));
const OPENING_BYTES = MAGIC.length + 4;
const FRAME_HEADER_BYTES = 9;
/** A longer frame is damage: a node's chunks are shorter. */
const MAX_FRAME_BYTES = 16 * 1_048_576;
const NO_BYTES = new Uint8Array(0);

const Kind = { metadata: 1, chunk: 2, end: 3 } as const;

/** What a backup shows, and when it was taken. */
export interface BackupMetadata extends BackupOrigin {
  /** Wall time of the machine that took it, in ms since 1970. */
  readonly savedAt: number;
}

/** Turns a snapshot's chunks into the bytes of a backup. */
export async function* encodeBackup(
  metadata: BackupMetadata,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  const opening = new ByteWriter(OPENING_BYTES).raw(MAGIC).u32(FORMAT_VERSION).finish();
  const head = Buffer.concat([opening, frame(Kind.metadata, encodeMetadata(metadata))]);
  hash.update(head);
  yield head;
  for await (const chunk of chunks) {
    const bytes = frame(Kind.chunk, chunk);
    hash.update(bytes);
    yield bytes;
  }
  yield frame(Kind.end, hash.digest());
}

function frame(kind: number, payload: Uint8Array): Uint8Array {
  const writer = new ByteWriter(FRAME_HEADER_BYTES + payload.length);
  const covered = writer.u8(kind).u32(payload.length).finish();
  const checksum = crc32(payload, 0, payload.length, crc32(covered, 0, covered.length));
  return writer.u32(checksum).raw(payload).finish();
}

function encodeMetadata(metadata: BackupMetadata): Uint8Array {
  const { clusterName, clusterId, node, revision, index, time, savedAt } = metadata;
  const writer = new ByteWriter().text(clusterName).text(clusterId).text(node);
  return writer.varint(revision).varint(index).varint(time).varint(savedAt).finish();
}

function decodeMetadata(bytes: Uint8Array): BackupMetadata {
  const reader = new ByteReader(bytes);
  const metadata = {
    clusterName: reader.text(),
    clusterId: reader.text(),
    node: reader.text(),
    revision: reader.varint(),
    index: reader.varint(),
    time: reader.varint(),
    savedAt: reader.varint(),
  };
  reader.end();
  return metadata;
}

/**
 * Reads a backup, however its bytes are cut, and checks everything about it but the snapshot
 * itself, whose bytes it hands on. Throws `HoldfastError`: `corrupt-data` with the place,
 * `wrong-version` for the format of another version.
 */
export class BackupDecoder {
  readonly #take: (chunk: Uint8Array) => void;
  readonly #hash: Hash = createHash('sha256');
  #buffered: Uint8Array = NO_BYTES;
  /** Where in the backup the buffered bytes begin. */
  #offset = 0;
  #metadata: BackupMetadata | undefined = undefined;
  #ended = false;

  constructor(take: (chunk: Uint8Array) => void) {
    this.#take = take;
  }

  push(bytes: Uint8Array): void {
    this.#buffered = this.#buffered.length === 0 ? bytes : Buffer.concat([this.#buffered, bytes]);
    if (this.#offset === 0 && !this.#readOpening()) return;
    while (this.#readFrame());
  }

  /** After the last byte. */
  finish(): BackupMetadata {
    const metadata = this.#metadata;
    if (this.#offset === 0) this.#damaged('it is too short to be a backup');
    if (this.#ended && this.#buffered.length > 0) this.#damaged('there is more after the end');
    if (!this.#ended || metadata === undefined) this.#damaged('it is cut off here');
    return metadata;
  }

  #readOpening(): boolean {
    const bytes = this.#buffered;
    const seen = Math.min(bytes.length, MAGIC.length);
    if (MAGIC.subarray(0, seen).some((byte, at) => byte !== bytes[at])) {
      this.#damaged('it does not begin like a backup');
    }
    if (bytes.length < OPENING_BYTES) return false;
    const version = new ByteReader(bytes, MAGIC.length).u32();
    if (version !== FORMAT_VERSION) {
      const text = `a backup of format version ${version}; this version reads ${FORMAT_VERSION}`;
      throw new HoldfastError('wrong-version', text);
    }
    this.#advance(OPENING_BYTES);
    return true;
  }

  #readFrame(): boolean {
    if (this.#ended || this.#buffered.length < FRAME_HEADER_BYTES) return false;
    const reader = new ByteReader(this.#buffered);
    const kind = reader.u8();
    const length = reader.u32();
    const checksum = reader.u32();
    if (length > MAX_FRAME_BYTES) this.#damaged(`a part claims to be ${length} bytes long`);
    if (reader.remaining < length) return false;
    const payload = reader.raw(length);
    const covered = crc32(this.#buffered, 0, FRAME_HEADER_BYTES - 4);
    if (crc32(payload, 0, length, covered) !== checksum) {
      this.#damaged('the checksum of this part does not match its contents');
    }
    if (kind === Kind.end) this.#readEnd(payload);
    else this.#readPart(kind, payload);
    this.#advance(FRAME_HEADER_BYTES + length);
    return true;
  }

  #readPart(kind: number, payload: Uint8Array): void {
    const first = this.#metadata === undefined;
    if (kind !== (first ? Kind.metadata : Kind.chunk)) this.#damaged(`part ${kind} out of place`);
    try {
      if (first) this.#metadata = decodeMetadata(payload);
      else this.#take(payload);
    } catch (error) {
      if (!(error instanceof MalformedBytesError)) throw error;
      this.#damaged(error.message);
    }
  }

  #readEnd(digest: Uint8Array): void {
    if (Buffer.compare(this.#hash.digest(), digest) !== 0) {
      this.#damaged('the SHA-256 at the end does not match what came before it');
    }
    this.#ended = true;
  }

  #advance(length: number): void {
    if (!this.#ended) this.#hash.update(this.#buffered.subarray(0, length));
    this.#buffered = this.#buffered.subarray(length);
    this.#offset += length;
  }

  #damaged(why: string): never {
    throw new HoldfastError('corrupt-data', `damaged backup, at byte ${this.#offset}: ${why}`);
  }
}
