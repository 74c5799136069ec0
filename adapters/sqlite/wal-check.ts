/**
 * SQLite takes the first bad frame of its write-ahead log for the end of it. After a crash that may
 * be right: the last transaction was torn, never acknowledged. But when a later transaction stands
 * behind the bad frame, the bad one was complete and acknowledged before (each waits for its
 * fsync), so the frame was damaged since and opening would silently drop acknowledged entries.
 *
 * Layout and checksum: "WAL Format" in the SQLite file format documentation, sections 4.1 to 4.3.
 */
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readSync } from 'node:fs';

const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC_LITTLE_ENDIAN = 0x377f0682;
const MAGIC_BIG_ENDIAN = 0x377f0683;

/** The running checksum: two sums modulo 2^32 that feed each other. */
class Checksum {
  s0 = 0;
  s1 = 0;
  readonly #littleEndian: boolean;

  constructor(littleEndian: boolean) {
    this.#littleEndian = littleEndian;
  }

  add(bytes: Buffer): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let { s0, s1 } = this;
    for (let at = 0; at < bytes.length; at += 8) {
      s0 = (s0 + view.getUint32(at, this.#littleEndian) + s1) | 0;
      s1 = (s1 + view.getUint32(at + 4, this.#littleEndian) + s0) | 0;
    }
    this.s0 = s0;
    this.s1 = s1;
  }

  matches(bytes: Buffer, at: number): boolean {
    return bytes.readInt32BE(at) === this.s0 && bytes.readInt32BE(at + 4) === this.s1;
  }
}

/** Reads the frames of one log file, in order. */
class WalReader {
  readonly #file: number;
  readonly #frame: Buffer;
  readonly #salts: Buffer;
  readonly #checksum: Checksum;
  #number = 0;

  constructor(file: number, header: Buffer, checksum: Checksum) {
    this.#file = file;
    this.#frame = Buffer.alloc(FRAME_HEADER_BYTES + header.readUInt32BE(8));
    this.#salts = Buffer.from(header.subarray(16, 24));
    this.#checksum = checksum;
  }

  get frameBytes(): number {
    return this.#frame.length;
  }

  /** Number of the frame last read, from 1. */
  get number(): number {
    return this.#number;
  }

  /** Whether there was another whole frame to read. */
  next(): boolean {
    const { length } = this.#frame;
    const at = WAL_HEADER_BYTES + this.#number * length;
    if (readSync(this.#file, this.#frame, 0, length, at) < length) return false;
    this.#number++;
    return true;
  }

  /** Written since the log was last started over, if its header is to be believed. */
  get isCurrent(): boolean {
    return this.#salts.equals(this.#frame.subarray(8, 16));
  }

  get endsTransaction(): boolean {
    return this.#frame.readUInt32BE(4) !== 0;
  }

  /** Whether the frame continues the chain of good ones before it. To be asked once a frame. */
  isGood(): boolean {
    if (!this.isCurrent) return false;
    this.#checksum.add(this.#frame.subarray(0, 8));
    this.#checksum.add(this.#frame.subarray(FRAME_HEADER_BYTES));
    return this.#checksum.matches(this.#frame, 16);
  }
}

/** Calls back with a reader of the frames, unless there is none, or no header yet. */
function withFrames<T>(
  path: string,
  flags: 'r' | 'r+',
  use: (reader: WalReader | undefined, file: number) => T,
): T | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSync(path, flags);
  try {
    const header = Buffer.alloc(WAL_HEADER_BYTES);
    if (readSync(file, header, 0, WAL_HEADER_BYTES, 0) < WAL_HEADER_BYTES) return undefined;
    const magic = header.readUInt32BE(0);
    const checksum = new Checksum(magic === MAGIC_LITTLE_ENDIAN);
    checksum.add(header.subarray(0, 24));
    const isKnown = magic === MAGIC_LITTLE_ENDIAN || magic === MAGIC_BIG_ENDIAN;
    const isGood = isKnown && checksum.matches(header, 24);
    return use(isGood ? new WalReader(file, header, checksum) : undefined, file);
  } finally {
    closeSync(file);
  }
}

export type WalState =
  | { readonly type: 'sound' }
  /** Its last transaction is: see `cutTornTail`. */
  | { readonly type: 'torn' }
  | { readonly type: 'damaged'; readonly found: string };

/** The state of the write-ahead log `path`; sound when there is none. */
export function examineWal(path: string): WalState {
  const state = withFrames(path, 'r', (reader): WalState => {
    if (reader === undefined) return { type: 'damaged', found: 'its header fails its checksum' };
    const { isBad, isTorn } = readWhole(reader);
    const found = isBad ? damageBehind(reader) : undefined;
    return found === undefined ? { type: isTorn ? 'torn' : 'sound' } : { type: 'damaged', found };
  });
  return state ?? { type: 'sound' };
}

/**
 * Cuts away what a torn transaction left. The next one would be written over the beginning of it
 * only, and what stayed of several such could look like transactions behind a damaged one. To be
 * called while the database is locked, and after SQLite has recovered it.
 */
export function cutTornTail(path: string): void {
  withFrames(path, 'r+', (reader, file) => {
    if (reader === undefined) return;
    const { isTorn, frames } = readWhole(reader);
    if (!isTorn) return;
    ftruncateSync(file, WAL_HEADER_BYTES + frames * reader.frameBytes);
    fsyncSync(file);
  });
}

interface WholeFrames {
  /** Those of whole transactions. */
  readonly frames: number;
  /** The frame read last is not good; else it was the last there is. */
  readonly isBad: boolean;
  /** Others follow; not those of earlier rounds, which nobody takes for newer ones. */
  readonly isTorn: boolean;
}

function readWhole(reader: WalReader): WholeFrames {
  let frames = 0;
  let isBad = false;
  while (!isBad && reader.next()) {
    isBad = !reader.isGood();
    if (!isBad && reader.endsTransaction) frames = reader.number;
  }
  return { frames, isBad, isTorn: reader.number !== frames && reader.isCurrent };
}

/** The frame just read is bad: damage if a transaction was begun after the one it belongs to. */
function damageBehind(reader: WalReader): string | undefined {
  const bad = reader.number;
  let ended = reader.endsTransaction;
  while (reader.next()) {
    if (!reader.isCurrent) continue;
    if (ended) return `frame ${bad} is damaged, whole transactions follow it`;
    ended = reader.endsTransaction;
  }
  return undefined;
}
