import { HoldfastError } from '../base/index.ts';
import { isGone } from './client-session.ts';
import type { CallOptions, ReadOptions, WriteOptions } from './key-types.ts';
import { recordChange, type MapChange } from './map-changes.ts';
import { MapFollower } from './map-follower.ts';
import { encodeMapKey } from './map-keys.ts';
import type { MapOpening } from './map-opening.ts';
import { MapReplica } from './map-replica.ts';
import { MapFeed } from './map-subscription.ts';
import type {
  InvalidMapEntry,
  MapEntry,
  MapSubscribeOptions,
  MapSubscription,
  RegistryMap,
} from './map-types.ts';
import type { MapValues } from './map-values.ts';

/** What an open map is made of. */
export interface OpenedMap<Out, In> {
  readonly opening: MapOpening;
  readonly values: MapValues<Out, In>;
  readonly onInvalid: (entry: InvalidMapEntry) => void;
  readonly prune: boolean;
  /** Acts for writes that name no session. */
  readonly session: WriteOptions['session'];
  /** Ends everything about it. */
  readonly controller: AbortController;
}

export class MapHandle<Out, In> implements RegistryMap<Out, In> {
  readonly name: string;
  readonly createRevision: number;
  readonly #opened: OpenedMap<Out, In>;
  readonly #replica: MapReplica<Out>;
  readonly #follower: MapFollower<Out>;
  #detaching: Promise<void> | undefined = undefined;

  private constructor(opened: OpenedMap<Out, In>) {
    const { opening, values, onInvalid, controller } = opened;
    this.name = opening.access.name;
    this.createRevision = opening.access.ref.created;
    this.#opened = opened;
    this.#replica = new MapReplica(onInvalid);
    const decode = (bytes: Uint8Array) => values.decode(bytes);
    this.#follower = new MapFollower(opening.access, this.#replica, decode, controller.signal);
  }

  /** Resolves once all of it is here. */
  static async load<Out, In>(
    opened: OpenedMap<Out, In>,
    options: CallOptions,
  ): Promise<MapHandle<Out, In>> {
    const handle = new MapHandle(opened);
    await handle.#follower.load(options);
    void handle.#follower.follow().then((end) => handle.end(end));
    return handle;
  }

  get signal(): AbortSignal {
    return this.#opened.controller.signal;
  }

  get revision(): number {
    return this.#open().revision;
  }

  get size(): number {
    return this.#open().size;
  }

  get(key: string): Out | undefined {
    return this.#open().get(key);
  }

  has(key: string): boolean {
    return this.#open().has(key);
  }

  keys(): readonly string[] {
    return this.#open().keys();
  }

  entries(): readonly MapEntry<Out>[] {
    return this.#open().entries();
  }

  toList(): readonly (readonly [key: string, value: Out])[] {
    return this.entries().map(({ key, value }) => [key, value] as const);
  }

  invalid(): readonly InvalidMapEntry[] {
    return this.#open().invalid();
  }

  async fetch(key: string, options: ReadOptions = {}): Promise<Out | undefined> {
    this.#open();
    const { opening, values } = this.#opened;
    const record = await this.#ending(opening.access.get(encodeMapKey(key), options));
    if (record === undefined) return undefined;
    return values.accept(values.decode(record.value), this.#what(key));
  }

  async fetchAll(options: ReadOptions = {}): Promise<readonly MapEntry<Out>[]> {
    this.#open();
    const { opening, values } = this.#opened;
    const { map } = opening.access.ref;
    const { records } = await this.#ending(opening.access.all(options));
    const found: MapEntry<Out>[] = [];
    for (const record of records) {
      const change = recordChange(map, record, (bytes) => values.decode(bytes));
      if (change.type === 'put') found.push(change.entry);
    }
    return found;
  }

  async put(key: string, value: In, options: WriteOptions = {}): Promise<MapEntry<Out>> {
    this.#open();
    const { opening, values, prune } = this.#opened;
    const encodedKey = encodeMapKey(key);
    const encoded = values.encode(value, this.#what(key));
    const putting = opening.access.put(encodedKey, encoded.bytes, this.#acting(options), prune);
    const { modRevision: revision } = await this.#ending(putting);
    const entry = { key, value: encoded.value, revision };
    this.#replica.did({ type: 'put', key, revision, entry });
    return entry;
  }

  async remove(key: string, options: WriteOptions = {}): Promise<boolean> {
    this.#open();
    const removing = this.#opened.opening.access.remove(encodeMapKey(key), this.#acting(options));
    const { removed, revision } = await this.#ending(removing);
    this.#replica.did({ type: 'remove', key, revision, entry: { key, revision } });
    return removed;
  }

  delete(key: string, options?: WriteOptions): Promise<boolean> {
    return this.remove(key, options);
  }

  subscribe(options: MapSubscribeOptions = {}): MapSubscription<Out> {
    this.#open();
    const { opening, values } = this.#opened;
    const telling = (change: MapChange<Out>): void => this.#replica.did(change);
    const source = { signal: this.signal, telling };
    return new MapFeed(opening.access, (bytes) => values.decode(bytes), options, source);
  }

  detach(options?: CallOptions): Promise<void> {
    this.#detaching ??= this.#detach(options).catch((error: unknown) => {
      this.#detaching = undefined;
      throw error;
    });
    return this.#detaching;
  }

  async drop(options?: CallOptions): Promise<void> {
    this.#open();
    await this.#ending(this.#opened.opening.access.drop(options));
    this.end(this.#opened.opening.access.noSuchMap());
  }

  /** Its session releases it anyway, so a cluster out of reach is no failure here. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.detach().catch(() => undefined);
  }

  /** Asks the cluster; when it is not, everyone here is told. */
  async isThere(options: CallOptions): Promise<boolean> {
    try {
      await this.#ending(this.#opened.opening.access.details(options));
      return !this.signal.aborted;
    } catch (error) {
      if (this.signal.aborted) return false;
      throw error;
    }
  }

  end(reason: HoldfastError): void {
    if (!this.signal.aborted) this.#opened.controller.abort(reason);
  }

  async #detach(options: CallOptions | undefined): Promise<void> {
    const wasDropped = this.signal.aborted && this.#reason().code === 'no-such-map';
    this.end(new HoldfastError('closed', `map '${this.name}' is detached from`));
    if (wasDropped) return;
    try {
      await this.#opened.opening.detach(options);
    } catch (error) {
      const over = error instanceof HoldfastError && error.code === 'no-such-map';
      if (!over && !isGone(error)) throw error;
    }
  }

  #open(): MapReplica<Out> {
    if (this.signal.aborted) throw this.#reason();
    return this.#replica;
  }

  #reason(): HoldfastError {
    return this.signal.reason as HoldfastError;
  }

  #acting(options: WriteOptions): WriteOptions {
    const { session } = this.#opened;
    return session === undefined || options.session !== undefined
      ? options
      : { ...options, session };
  }

  /** Whoever learns first that the map is gone tells all. */
  async #ending<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'no-such-map') this.end(error);
      throw error;
    }
  }

  #what(key: string): string {
    return `map '${this.name}', key '${key}'`;
  }
}
