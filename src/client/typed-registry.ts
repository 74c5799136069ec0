/** A registry whose values are all of one type, carried by a codec. */
import type { Codec } from './codecs.ts';
import type { Key, RegistryRecord, WriteOptions } from './key-types.ts';
import type { GetOptions, ListOptions, PutOptions, Registry } from './registry.ts';
import type { Expected, SwapOptions, SwapOutcome } from './transaction-types.ts';
import type {
  Watch,
  WatchCause,
  WatchEvent,
  WatchOptions,
  WatchProgress,
  WatchProgressOptions,
} from './watch-types.ts';

/**
 * A record with its value decoded, when `data` is first asked for: it is `data` that throws
 * `invalid-value` for a value that the codec refuses. So one of those spoils no list and no watch.
 */
export interface TypedRecord<T> {
  readonly key: string;
  readonly data: T;
  readonly modRevision: number;
  /** Everything else, and the value's bytes. */
  readonly record: RegistryRecord;
}
export interface TypedPage<T> {
  readonly records: readonly TypedRecord<T>[];
  /** As of which all of them are. */
  readonly revision: number;
  /** There are more: ask again with `after` and this `revision`. */
  readonly more: boolean;
}
/** As of `list`; without values there is nothing to decode. */
export type TypedListOptions = Omit<ListOptions, 'keysOnly'>;
/** A record as it was read, a value (as the codec encodes it), or undefined for no key. */
export type TypedExpected<T> = { readonly modRevision: number } | { readonly value: T } | undefined;
export interface TypedSwapOutcome<T> {
  readonly swapped: boolean;
  readonly revision: number;
  readonly record: TypedRecord<T> | undefined;
}

interface TypedChange<T> {
  readonly revision: number;
  readonly key: string;
  readonly previous: TypedRecord<T> | undefined;
  readonly cause: WatchCause;
  readonly last: boolean;
  /** As it came, without a codec's doing. */
  readonly event: WatchEvent;
}
/** An event of a watch; `data` is as of a `TypedRecord`, and a deleted key has none. */
export type TypedWatchEvent<T> =
  | (TypedChange<T> & { readonly type: 'put'; readonly data: T })
  | (TypedChange<T> & { readonly type: 'delete'; readonly data: undefined });

/** The calls of a `Registry` that carry values, for values of one type; made by `registry.as`. */
export interface TypedRegistry<T> {
  get(key: Key, options?: GetOptions): Promise<TypedRecord<T> | undefined>;
  /** Rejects with `invalid-value`, and nothing is sent, for a value that the codec refuses. */
  put(key: Key, value: T, options?: PutOptions): Promise<TypedRecord<T>>;
  delete(key: Key, options?: WriteOptions): Promise<TypedRecord<T> | undefined>;
  list(options?: TypedListOptions): Promise<TypedPage<T>>;
  records(options?: Omit<TypedListOptions, 'after'>): AsyncIterable<TypedRecord<T>>;
  compareAndSwap(
    key: Key,
    expected: TypedExpected<T>,
    value: T,
    options?: SwapOptions,
  ): Promise<TypedSwapOutcome<T>>;
  putIfAbsent(key: Key, value: T, options?: SwapOptions): Promise<TypedSwapOutcome<T>>;
  watch(options: WatchProgressOptions): Watch<TypedWatchEvent<T> | WatchProgress>;
  watch(options?: WatchOptions): Watch<TypedWatchEvent<T>>;
}

type UntypedRegistry = Pick<
  Registry,
  'get' | 'put' | 'delete' | 'list' | 'records' | 'compareAndSwap' | 'putIfAbsent' | 'watch'
>;

class DecodedRecord<T> implements TypedRecord<T> {
  readonly record: RegistryRecord;
  readonly #codec: Codec<T>;
  #decoded: { readonly data: T } | undefined = undefined;

  constructor(record: RegistryRecord, codec: Codec<T>) {
    this.record = record;
    this.#codec = codec;
  }

  get key(): string {
    return this.record.key;
  }

  get modRevision(): number {
    return this.record.modRevision;
  }

  get data(): T {
    this.#decoded ??= { data: this.#codec.decode(this.record.value) };
    return this.#decoded.data;
  }
}

export class CodecRegistry<T> implements TypedRegistry<T> {
  readonly #registry: UntypedRegistry;
  readonly #codec: Codec<T>;

  constructor(registry: UntypedRegistry, codec: Codec<T>) {
    this.#registry = registry;
    this.#codec = codec;
  }

  async get(key: Key, options?: GetOptions): Promise<TypedRecord<T> | undefined> {
    return this.#maybe(await this.#registry.get(key, options));
  }

  async put(key: Key, value: T, options?: PutOptions): Promise<TypedRecord<T>> {
    return this.#typed(await this.#registry.put(key, this.#codec.encode(value), options));
  }

  async delete(key: Key, options?: WriteOptions): Promise<TypedRecord<T> | undefined> {
    return this.#maybe(await this.#registry.delete(key, options));
  }

  async list(options?: TypedListOptions): Promise<TypedPage<T>> {
    const { records, revision, more } = await this.#registry.list(options);
    return { records: records.map(this.#typed), revision, more };
  }

  async *records(options?: Omit<TypedListOptions, 'after'>): AsyncGenerator<TypedRecord<T>> {
    for await (const record of this.#registry.records(options)) yield this.#typed(record);
  }

  async compareAndSwap(
    key: Key,
    expected: TypedExpected<T>,
    value: T,
    options?: SwapOptions,
  ): Promise<TypedSwapOutcome<T>> {
    const before = this.#expected(expected);
    const next = this.#codec.encode(value);
    return this.#outcome(await this.#registry.compareAndSwap(key, before, next, options));
  }

  async putIfAbsent(key: Key, value: T, options?: SwapOptions): Promise<TypedSwapOutcome<T>> {
    const next = this.#codec.encode(value);
    return this.#outcome(await this.#registry.putIfAbsent(key, next, options));
  }

  watch(options: WatchProgressOptions): Watch<TypedWatchEvent<T> | WatchProgress>;
  watch(options?: WatchOptions): Watch<TypedWatchEvent<T>>;
  watch(
    options: WatchOptions | WatchProgressOptions = {},
  ): Watch<TypedWatchEvent<T>> | Watch<TypedWatchEvent<T> | WatchProgress> {
    if (options.progress !== true) {
      return mapped(this.#registry.watch({ ...options, progress: false }), this.#event);
    }
    return mapped(this.#registry.watch({ ...options, progress: true }), (item) =>
      item.type === 'progress' ? item : this.#event(item),
    );
  }

  readonly #typed = (record: RegistryRecord): TypedRecord<T> =>
    new DecodedRecord(record, this.#codec);

  #maybe(record: RegistryRecord | undefined): TypedRecord<T> | undefined {
    return record === undefined ? undefined : this.#typed(record);
  }

  #expected(expected: TypedExpected<T>): Expected {
    if (expected === undefined || 'modRevision' in expected) return expected;
    return this.#codec.encode(expected.value);
  }

  #outcome({ swapped, revision, record }: SwapOutcome): TypedSwapOutcome<T> {
    return { swapped, revision, record: this.#maybe(record) };
  }

  readonly #event = (event: WatchEvent): TypedWatchEvent<T> => {
    const { type, revision, key, cause, last } = event;
    const change = { revision, key, cause, last, event, previous: this.#maybe(event.previous) };
    if (type === 'delete') return { ...change, type, data: undefined };
    const typed = this.#typed(event.record);
    return {
      ...change,
      type,
      get data(): T {
        return typed.data;
      },
    };
  };
}

/** The same watch, with each item made into another. */
function mapped<From, To>(watch: Watch<From>, map: (item: From) => To): Watch<To> {
  return {
    started: watch.started,
    progress: (options) => watch.progress(options),
    close: () => watch.close(),
    [Symbol.asyncDispose]: () => watch.close(),
    [Symbol.asyncIterator]: () => {
      const items = watch[Symbol.asyncIterator]();
      return {
        next: async () => {
          const { done, value } = await items.next();
          return done === true ? { done, value: undefined } : { done: false, value: map(value) };
        },
        return: async () => {
          await watch.close();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
