import { mapEntryPrefix, type KeyRecord } from '../registry/index.ts';
import { edgeRecord, encodeValue } from './edge.ts';
import type { CallOptions, ReadOptions, RegistryRecord, Value, WriteOptions } from './key-types.ts';
import type { MapAccess } from './map-access.ts';
import { encodeMapKey } from './map-keys.ts';
import { MapFeed } from './map-subscription.ts';
import type { MapDetails, MapSubscribeOptions, MapSubscription, RawMap } from './map-types.ts';
import type { Decoded } from './map-values.ts';

/** A map without opening it. */
export class RawMapClient implements RawMap {
  readonly name: string;
  readonly #access: MapAccess;

  constructor(access: MapAccess) {
    this.#access = access;
    this.name = access.name;
  }

  details(options?: ReadOptions): Promise<MapDetails> {
    return this.#access.details(options);
  }

  async get(key: string, options?: ReadOptions): Promise<RegistryRecord | undefined> {
    const record = await this.#access.get(encodeMapKey(key), options);
    return record === undefined ? undefined : this.#entry(record);
  }

  async *records(options?: ReadOptions): AsyncGenerator<RegistryRecord, void, undefined> {
    for await (const { records } of this.#access.pages(options)) {
      for (const record of records) yield this.#entry(record);
    }
  }

  async put(key: string, value: Value, options: WriteOptions = {}): Promise<RegistryRecord> {
    const bytes = encodeValue(value);
    return this.#entry(await this.#access.put(encodeMapKey(key), bytes, options, false));
  }

  async remove(key: string, options: WriteOptions = {}): Promise<boolean> {
    return (await this.#access.remove(encodeMapKey(key), options)).removed;
  }

  subscribe(options: MapSubscribeOptions = {}): MapSubscription<Uint8Array> {
    return new MapFeed(this.#access, asItIs, options, undefined);
  }

  drop(options?: CallOptions): Promise<void> {
    return this.#access.drop(options);
  }

  /** Under the key that the application knows. */
  #entry(record: KeyRecord): RegistryRecord {
    const key = record.key.slice(mapEntryPrefix(this.#access.ref.map).length);
    return edgeRecord({ ...record, key }, undefined);
  }
}

function asItIs(value: Uint8Array): Decoded<Uint8Array> {
  return { type: 'value', value };
}
