/**
 * A durable log store from scratch: one file that is only ever appended to, replayed when it is
 * opened. `BlockBackend` encodes, checksums and cuts the log; what is left to write is a place that
 * keeps bytes under keys (`BlockMedium`) and changes several of them at once, durably.
 *
 * The file is a row of frames, one for each change:
 *
 *     head length (4) | length of the values (4) | CRC of the head (4) | CRC of these 12 bytes (4)
 *     head: JSON { remove: [key], put: [[key, length]] } | the values, one after another
 *
 * The values carry checksums of their own. Everything held is in memory too.
 */
import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync } from 'node:fs';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import {
  BackedLogStore,
  BlockBackend,
  corruptData,
  lockDirectory,
  makeDirectory,
  syncDirectory,
} from 'holdfast';
const HEADER_BYTES = 16;
/** A journal this long is rewritten when most of it is about values long gone. */
const TIDY_BYTES = 16 * 1024 * 1024;
function frameOf(remove, put) {
  const parts = { remove, put: put.map(([key, value]) => [key, value.length]) };
  const head = Buffer.from(JSON.stringify(parts));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(head.length, 0);
  header.writeUInt32LE(
    put.reduce((sum, [, value]) => sum + value.length, 0),
    4,
  );
  header.writeUInt32LE(crc32(head), 8);
  header.writeUInt32LE(crc32(header.subarray(0, 12)), 12);
  return Buffer.concat([header, head, ...put.map(([, value]) => value)]);
}
/**
 * Makes the changes of every whole frame and returns where the last of them ends: a process that
 * was killed may have left part of another. Anything else that does not fit is damage.
 */
function replay(journal, values) {
  let at = 0;
  while (at + HEADER_BYTES <= journal.length) {
    const header = journal.subarray(at, at + HEADER_BYTES);
    const headEnd = at + HEADER_BYTES + header.readUInt32LE(0);
    const end = headEnd + header.readUInt32LE(4);
    const isSound = crc32(header.subarray(0, 12)) === header.readUInt32LE(12);
    if (isSound && end > journal.length) break;
    const head = journal.subarray(at + HEADER_BYTES, headEnd);
    if (!isSound || crc32(head) !== header.readUInt32LE(8)) {
      throw corruptData('entry', `the journal fails its checksum at byte ${at}`);
    }
    const { remove, put } = JSON.parse(head.toString());
    for (const key of remove) values.delete(key);
    at = headEnd;
    for (const [key, length] of put) values.set(key, journal.subarray(at, (at += length)));
  }
  return at;
}
class JournalMedium {
  kind = 'journal';
  #directory;
  #path;
  #values = new Map();
  #lock;
  #file;
  #size = 0;
  constructor(directory) {
    this.#directory = directory;
    this.#path = join(directory, 'journal');
  }
  async open(identity) {
    makeDirectory(this.#directory);
    this.#lock = await lockDirectory(this.#directory);
    this.#file = openSync(this.#path, 'a');
    syncDirectory(this.#directory);
    this.#values.clear();
    const journal = readFileSync(this.#path);
    this.#size = replay(journal, this.#values);
    const torn = journal.length - this.#size;
    if (torn > 0) ftruncateSync(this.#file, this.#size);
    if (this.getRecord('identity') === undefined) this.#append([], [['record/identity', identity]]);
    return torn > 0 ? [`${torn} bytes of an unfinished write were dropped`] : [];
  }
  /** Durable when it returns, unless it is about to be: chunks count once their snapshot does. */
  #append(remove, put, sync = true) {
    if (this.#file === undefined) throw new Error('the journal is closed');
    const frame = frameOf(remove, put);
    writeFileSync(this.#file, frame);
    if (sync) fdatasyncSync(this.#file);
    this.#size += replay(frame, this.#values);
    if (this.#size > TIDY_BYTES && this.#size > 2 * this.#heldBytes()) this.#rewrite();
  }
  #heldBytes() {
    return [...this.#values.values()].reduce((sum, value) => sum + value.length, 0);
  }
  /** Puts a journal of what is held in the place of one that tells how it came to be. */
  #rewrite() {
    const fresh = frameOf([], [...this.#values]);
    const file = openSync(`${this.#path}.new`, 'w');
    writeFileSync(file, fresh);
    fdatasyncSync(file);
    renameSync(`${this.#path}.new`, this.#path);
    syncDirectory(this.#directory);
    closeSync(this.#file);
    this.#file = file;
    this.#size = replay(fresh, this.#values);
  }
  commit({ records, removed, added }) {
    this.#append(
      removed.flatMap(({ keys }) => keys.map((first) => `block/${first}`)),
      [
        ...records.map(({ name, bytes }) => [`record/${name}`, bytes]),
        ...added.map(({ first, bytes }) => [`block/${first}`, bytes]),
      ],
    );
  }
  getRecord(name) {
    return this.#values.get(`record/${name}`);
  }
  readBlock(first) {
    return this.#values.get(`block/${first}`);
  }
  scanBlocks(visit) {
    const firsts = this.#numbers(/^block\/(\d+)$/);
    for (const first of firsts) visit(first, this.readBlock(first));
  }
  putChunk(id, position, bytes) {
    this.#append([], [[`chunk/${id}/${position}`, bytes]], false);
  }
  readChunk(id, position) {
    return this.#values.get(`chunk/${id}/${position}`);
  }
  snapshotIds() {
    return this.#numbers(/^chunk\/(\d+)\/0$/);
  }
  deleteChunks(id) {
    const keys = [...this.#values.keys()].filter((key) => key.startsWith(`chunk/${id}/`));
    this.#append(keys, [], false);
  }
  /** The numbers in the keys that match, ascending. */
  #numbers(pattern) {
    const found = [...this.#values.keys()].flatMap((key) => pattern.exec(key)?.[1] ?? []);
    return found.map(Number).toSorted((left, right) => left - right);
  }
  async close() {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    await this.#lock?.release();
    this.#lock = undefined;
  }
  async destroy() {
    if (!existsSync(this.#directory)) return;
    const lock = await lockDirectory(this.#directory);
    for (const path of [this.#path, `${this.#path}.new`]) rmSync(path, { force: true });
    await lock.release();
  }
}
/** Keeps a node's log in a directory of its own. */
export class JournalLogStore extends BackedLogStore {
  constructor(options) {
    super(new BlockBackend(new JournalMedium(options.path)));
  }
}
/** What the conformance suite, and the child processes it kills, make stores with. */
export function createStore(directory) {
  return new JournalLogStore({ path: directory });
}
//# sourceMappingURL=journal-log-store.js.map
