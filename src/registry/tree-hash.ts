/**
 * The hashes that trees are made of: 64 bits, as two whole numbers of 32 bits each, which cost no
 * allocation.
 *
 * They are to tell accidents - a flipped bit, a lost write, a bug in one replica - from equality,
 * and nobody who could choose the contents gains by a collision: whoever can change one replica's
 * memory can as well have it lie. So they need to mix well, not to resist an adversary; two records
 * that differ have equal hashes once in 2^64. Keyed or cryptographic ones cost some ten times more.
 */
import { ByteWriter } from '../base/index.ts';
import { writeRecord } from './codec/record.ts';
import { writeSessionFields } from './codec/session.ts';
import type { Session } from './sessions.ts';
import { TREE_BUCKETS, type TreeHash } from './tree-types.ts';
import type { ByteString, KeyRecord } from './types.ts';

/** Odd numbers of evenly spread bits: multiplying by them is reversible and mixes upwards. */
const FACTOR_1 = 0x9e3779b1;
const FACTOR_2 = 0x85ebca77;
const FACTOR_3 = 0xc2b2ae3d;
const LOW_SEED = 0x27d4eb2f;
const HIGH_SEED = 0x165667b1;
const DIGITS = 16;
const BUCKET_SHIFT = 32 - Math.log2(TREE_BUCKETS);

/** Something with a place in the tree: its key and the hash that the sums hold of it. */
export interface TreeItem {
  readonly key: ByteString;
  /** Both 0: the sums hold nothing of it. */
  hashLow: number;
  hashHigh: number;
}

export function isHashed(item: TreeItem): boolean {
  return (item.hashLow | item.hashHigh) !== 0;
}

/** Hashes records; the last hash stays in `low` and `high`, both 0 for "no record". */
export class Hasher {
  low = 0;
  high = 0;
  /** Bytes hashed last. */
  bytes = 0;
  readonly #writer = new ByteWriter();

  none(): void {
    this.low = 0;
    this.high = 0;
    this.bytes = 0;
  }

  /** Every field, in the encoding that snapshots have. */
  record(record: KeyRecord): void {
    this.#writer.reset();
    writeRecord(this.#writer, record);
    this.#hash(this.#writer.finish());
  }

  session(session: Session): void {
    this.#writer.reset();
    writeSessionFields(this.#writer, session);
    this.#hash(this.#writer.finish());
  }

  /**
   * Takes in four bytes at a time. Each step is reversible, so that contents which differ in one
   * word only can never come to the same.
   */
  #hash(bytes: Uint8Array): void {
    const { length } = bytes;
    let low = LOW_SEED ^ length;
    let high = HIGH_SEED ^ length;
    let at = 0;
    for (; at + 4 <= length; at += 4) {
      const word =
        bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      low = Math.imul(low ^ word, FACTOR_1);
      low ^= low >>> 15;
      high = Math.imul(((high << 13) | (high >>> 19)) + word, FACTOR_2);
    }
    let rest = 0;
    for (; at < length; at++) rest = (rest << 8) | bytes[at]!;
    low = mixed(low ^ rest);
    high = mixed((high ^ (high >>> 16)) + rest);
    this.low = (low + Math.imul(high, FACTOR_3)) | 0;
    this.high = high | 0;
    if ((this.low | this.high) === 0) this.low = 1;
    this.bytes = length;
  }
}

/** Which bucket of its parent something stands in, by its name. */
export function bucketOf(name: ByteString): number {
  let hash = name.length;
  for (let at = 0; at < name.length; at++) {
    hash = Math.imul(hash ^ name.charCodeAt(at), FACTOR_1);
    hash ^= hash >>> 15;
  }
  return mixed(hash) >>> BUCKET_SHIFT;
}

export function toTreeHash(low: number, high: number): TreeHash {
  return hex(high) + hex(low);
}

/** Lets every bit change about half of all. */
function mixed(word: number): number {
  let mix = Math.imul(word ^ (word >>> 16), FACTOR_2);
  mix = Math.imul(mix ^ (mix >>> 13), FACTOR_3);
  return mix ^ (mix >>> 16);
}

function hex(word: number): string {
  return (word >>> 0).toString(DIGITS).padStart(DIGITS / 2, '0');
}
