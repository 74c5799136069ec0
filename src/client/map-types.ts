/** Named maps as applications see them: typed, and held in this process. */
import type { z } from 'zod';
import type { ValueIssue } from '../base/index.ts';
import type { Codec } from './codecs.ts';
import type {
  CallOptions,
  JsonValue,
  ReadOptions,
  RegistryRecord,
  SessionRef,
  Value,
  WriteOptions,
} from './key-types.ts';

/** What everyone who opens a map of one name must agree on is `persist` and `prune`. */
export interface MapOptions extends CallOptions {
  /**
   * With `false` the map is dropped, entries and all, once no session has it open any more. True by
   * default, so that nothing goes unasked.
   */
  readonly persist?: boolean;
  /** With `true` an entry goes with the session that put it last; false by default. */
  readonly prune?: boolean;
  /** Open it for this session instead of the registry's own; when it ends, so does the map here. */
  readonly session?: SessionRef;
  /** Called for each value found in the registry that schema or codec refuse; see `invalid`. */
  readonly onInvalid?: (entry: InvalidMapEntry) => void;
}

/** Values that a zod schema describes; types come from it. */
export interface SchemaMapOptions<Schema extends z.core.$ZodType> extends MapOptions {
  /** Checks what is put, and whatever is read. It must not need to wait. */
  readonly schema: Schema;
  /** How what is put is kept as bytes; as JSON by default. */
  readonly codec?: Codec<z.input<Schema>>;
}

/** Values of any type that the codec carries: everything JSON can say, without one. */
export interface PlainMapOptions<T> extends MapOptions {
  /** Checks what is put, and whatever is read: all but `true` refuses. */
  readonly validate?: ((value: T) => boolean) | ((value: unknown) => value is T);
  /** How a value is kept as bytes; as JSON by default. */
  readonly codec?: Codec<T>;
}

export interface MapEntry<T> {
  readonly key: string;
  readonly value: T;
  /** Of its last change. */
  readonly revision: number;
}

/** A value in the registry that is not served. */
export interface InvalidMapEntry {
  /** Bytes that are not UTF-8 show as U+FFFD. */
  readonly key: string;
  readonly revision: number;
  readonly issues: readonly ValueIssue[];
}

export type MapEvent<T> =
  | { readonly type: 'put'; readonly key: string; readonly value: T; readonly revision: number }
  | { readonly type: 'remove'; readonly key: string; readonly revision: number }
  /** What was put is refused by schema or codec: from here on, the map does not serve the key. */
  | ({ readonly type: 'invalid' } & InvalidMapEntry);

export interface MapSubscribeOptions {
  /** First everything in the map, as of one revision, then what changes after it. */
  readonly initial?: boolean;
  /** First revision wanted; the default is the next one. Goes without `initial`. */
  readonly from?: number;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}

/**
 * Changes in order, without gap or repeat, across reconnects and changes of leader; what was told
 * can be read from the map. Ends without an error when the map is dropped or detached from. It
 * reads ahead by no more than a watch does. Throws `compacted` when history no longer reaches back,
 * and `overrun` when one revision is too large to send, with the revision to go on at as
 * `resumeFrom`: begin again with `initial` to miss nothing.
 */
export interface MapSubscription<T> extends AsyncIterable<MapEvent<T>>, AsyncDisposable {
  /** Resolves once it stands: what is changed after this revision will be seen. */
  readonly started: Promise<{ readonly revision: number }>;
  close(): Promise<void>;
}

/**
 * A map that is open in this process: every value is held here, decoded, and frozen where it is
 * plain data. Reads without a promise look at that copy, which follows the cluster as a watch does
 * and so may be a little behind others; what was put or removed through it shows at once. `fetch`
 * asks the cluster.
 *
 * A map ends here when anybody drops it, when it is detached from, or with the session it was
 * opened for: then `signal` aborts, and everything throws or rejects with the reason. The
 * registry's own session is replaced when it ends, and the map stays open; but one that is not to
 * persist may have been dropped by then, if nobody else had it open.
 */
export interface RegistryMap<Out, In = Out> extends AsyncDisposable {
  readonly name: string;
  /** The revision that created it: another map of the same name has another. */
  readonly createRevision: number;
  /** Aborts when it ends: with `no-such-map` when dropped, `closed`, or `session-expired`. */
  readonly signal: AbortSignal;
  /** Everything up to this revision is in what is read here. */
  readonly revision: number;
  readonly size: number;
  get(key: string): Out | undefined;
  has(key: string): boolean;
  /** In the order of their bytes, as are those below. */
  keys(): readonly string[];
  entries(): readonly MapEntry<Out>[];
  /** Pairs, as `new Map` takes them. */
  toList(): readonly (readonly [key: string, value: Out])[];
  /** What is in the registry but not served: put by another version, or not through a map. */
  invalid(): readonly InvalidMapEntry[];
  /** From the cluster. Rejects with `invalid-value` for a value that is not served. */
  fetch(key: string, options?: ReadOptions): Promise<Out | undefined>;
  /** Everything that is served, from the cluster, as of one revision. */
  fetchAll(options?: ReadOptions): Promise<readonly MapEntry<Out>[]>;
  /**
   * Checks the value, then puts it. Rejects with `invalid-value` and the schema's `issues` before
   * anything is sent, and with `too-large` beyond the registry's limits.
   */
  put(key: string, value: In, options?: WriteOptions): Promise<MapEntry<Out>>;
  /** Resolves to whether there was anything to remove. */
  remove(key: string, options?: WriteOptions): Promise<boolean>;
  /** The same as `remove`. */
  delete(key: string, options?: WriteOptions): Promise<boolean>;
  /**
   * @example
   * for await (const event of flags.subscribe({ initial: true })) {
   *   if (event.type === 'put') apply(event.key, event.value);
   * }
   */
  subscribe(options?: MapSubscribeOptions): MapSubscription<Out>;
  /**
   * Ends it in this process only, for everyone in it. One that is not to persist goes with the last
   * who has it open.
   */
  detach(options?: CallOptions): Promise<void>;
  /** Removes the map with everything in it, in the whole cluster. */
  drop(options?: CallOptions): Promise<void>;
}

/** A map as a list of maps shows it. */
export interface MapDetails {
  readonly name: string;
  readonly persist: boolean;
  readonly prune: boolean;
  /** The revision that created it. */
  readonly createRevision: number;
}

/**
 * A map as it is stored, for tools: nothing is opened or held here, no schema is known, and values
 * are what `put` of a registry takes. A map opened without a codec of its own reads JSON text.
 * Calls reject with `no-such-map` when there is none.
 */
export interface RawMap {
  readonly name: string;
  details(options?: ReadOptions): Promise<MapDetails>;
  get(key: string, options?: ReadOptions): Promise<RegistryRecord | undefined>;
  /** Every entry in key order, page after page, as of one revision. */
  records(options?: ReadOptions): AsyncIterable<RegistryRecord>;
  /** A map that prunes wants the `session` that the entry is to go with. */
  put(key: string, value: Value, options?: WriteOptions): Promise<RegistryRecord>;
  /** Resolves to whether there was anything to remove. */
  remove(key: string, options?: WriteOptions): Promise<boolean>;
  subscribe(options?: MapSubscribeOptions): MapSubscription<Uint8Array>;
  drop(options?: CallOptions): Promise<void>;
}

/** What a registry offers of maps. */
export interface RegistryMaps {
  /**
   * Opens a map, creating it if need be, and resolves once all of it is here. Again with the same
   * options it is the same map; other options, or another schema, are refused with `map-conflict`.
   * @example
   * const flags = await registry.map('flags', {
   *   schema: z.object({ enabled: z.boolean(), share: z.number().min(0).max(1).default(1) }),
   * });
   * await flags.put('new-checkout', { enabled: true });
   * if (flags.get('new-checkout')?.enabled) ...
   */
  map<Schema extends z.core.$ZodType>(
    name: string,
    options: SchemaMapOptions<Schema>,
  ): Promise<RegistryMap<z.output<Schema>, z.input<Schema>>>;
  map<T = JsonValue>(name: string, options?: PlainMapOptions<T>): Promise<RegistryMap<T>>;
  /** A map without opening it, for tools. */
  rawMap(name: string): RawMap;
  /** Every map there is, by name. */
  maps(options?: ReadOptions): Promise<readonly MapDetails[]>;
}
