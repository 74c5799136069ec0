import type { KeyEntry } from './key-version.ts';
import type { ByteString } from './types.ts';

const SHARD_BITS = 6;
const SHARDS = 1 << SHARD_BITS;

/**
 * Key to entry. Many small maps instead of one: a map that doubles copies everything at once, which
 * at a million keys would hold up heartbeats, and one map holds 16 million keys at most.
 */
export class KeyTable {
  readonly #shards: readonly Map<ByteString, KeyEntry>[];
  #size = 0;

  constructor() {
    this.#shards = Array.from({ length: SHARDS }, () => new Map<ByteString, KeyEntry>());
  }

  /** Entries of deleted keys that history still tells of are counted too. */
  get size(): number {
    return this.#size;
  }

  get(key: ByteString): KeyEntry | undefined {
    return this.#shards[shardOf(key)]!.get(key);
  }

  /** Adds an entry whose key is not there yet. */
  add(entry: KeyEntry): void {
    this.#shards[shardOf(entry.key)]!.set(entry.key, entry);
    this.#size++;
  }

  delete(key: ByteString): void {
    if (this.#shards[shardOf(key)]!.delete(key)) this.#size--;
  }
}

/** Spreads by the last few chars, which differ most. An uneven spread costs only pauses. */
function shardOf(key: ByteString): number {
  const length = key.length;
  let hash = length;
  for (let at = Math.max(length - 4, 0); at < length; at++) {
    hash = Math.imul(hash, 31) + key.charCodeAt(at);
  }
  if (length > 8) hash = Math.imul(hash, 31) + key.charCodeAt(length >>> 1);
  return (Math.imul(hash, 0x9e3779b1) >>> (32 - SHARD_BITS)) & (SHARDS - 1);
}
