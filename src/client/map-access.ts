/** Commands and queries about one map, as it is stored: no schema, no copy. */
import { HoldfastError } from '../base/index.ts';
import {
  decodeMapOptions,
  mapEntryPrefix,
  mapKey,
  mapMarkKey,
  mapRangeEnd,
  type ByteString,
  type KeyRecord,
  type MapCommand,
  type MapOptions as StoredOptions,
  type MapRef,
  type RegistryAnswer,
  type Revision,
} from '../registry/index.ts';
import { consistencyOf } from './checks.ts';
import { textOf } from './edge.ts';
import type { CallOptions, ReadOptions, SessionRef, WriteOptions } from './key-types.ts';
import type { MapDetails } from './map-types.ts';
import {
  answerOf,
  resultOf,
  type Actor,
  type CommandResult,
  type Patience,
  type Proposals,
} from './proposals.ts';
import type { Watch } from './watch-types.ts';

type AnswerOf<Type extends RegistryAnswer['type']> = Extract<RegistryAnswer, { type: Type }>;

/** What maps share with the registry they belong to. */
export interface MapHost {
  readonly proposals: Proposals;
  patience(options: CallOptions | undefined): Patience;
  /** Whom a call acts for; the registry's own session is opened when one is `needed`. */
  actorFor(
    ref: SessionRef | undefined,
    patience: Patience,
    needed: boolean,
  ): Actor | Promise<Actor>;
  watchKeys(start: ByteString, end: ByteString, from: number, signal: AbortSignal): Watch;
}

/** One page of a map's entries, all as of the first page's revision. */
export interface MapPage {
  readonly records: readonly KeyRecord[];
  readonly revision: number;
}

export class MapAccess {
  readonly host: MapHost;
  readonly ref: MapRef;

  /** @param created The one of that name to speak of; 0 for whichever there is. */
  constructor(host: MapHost, map: ByteString, created: number) {
    this.host = host;
    this.ref = { map, created: created as Revision };
  }

  get name(): string {
    return textOf(this.ref.map);
  }

  async open(options: StoredOptions, actor: Actor, patience: Patience): Promise<number> {
    const command = { type: 'openMap', ...this.ref, ...options } as const;
    const { result } = await this.host.proposals.propose(command, actor, patience);
    return resultOf(result, 'map').created;
  }

  async detach(actor: Actor, patience: Patience): Promise<void> {
    await this.host.proposals.propose({ type: 'detachMap', ...this.ref }, actor, patience);
  }

  async drop(options: CallOptions | undefined): Promise<void> {
    await this.#propose({ type: 'dropMap', ...this.ref }, options ?? {}, false);
  }

  async put(
    key: ByteString,
    value: Uint8Array,
    options: WriteOptions,
    needsSession: boolean,
  ): Promise<KeyRecord> {
    const command = { type: 'mapPut', ...this.ref, key, value } as const;
    const { record } = resultOf(await this.#propose(command, options, needsSession), 'key').view;
    if (record === undefined) throw new HoldfastError('internal', 'a put left no record');
    return record;
  }

  /** Whether there was anything to remove, and as of when there is not. */
  async remove(
    key: ByteString,
    options: WriteOptions,
  ): Promise<{ readonly removed: boolean; readonly revision: number }> {
    const command = { type: 'mapRemove', ...this.ref, key } as const;
    const { view, revision } = resultOf(await this.#propose(command, options, false), 'key');
    return { removed: view.record !== undefined, revision };
  }

  async details(options: ReadOptions = {}): Promise<MapDetails & { readonly asOf: number }> {
    const { view, revision } = await this.#get(mapKey(this.ref.map), options);
    const { record } = view;
    if (record === undefined || !this.#isMeant(record)) throw this.noSuchMap();
    return { ...detailsIn(record), asOf: revision };
  }

  /** Rejects with `no-such-map`, too. The entry first: what made it was there before the mark. */
  async get(key: ByteString, options: ReadOptions = {}): Promise<KeyRecord | undefined> {
    const entry = await this.#get(mapEntryPrefix(this.ref.map) + key, options);
    const { record: mark } = (await this.#get(mapMarkKey(this.ref.map), options)).view;
    if (mark === undefined || !this.#isMeant(mark)) throw this.noSuchMap();
    return entry.view.record;
  }

  /** Every entry, as of one revision. */
  async *pages(options: ReadOptions = {}): AsyncGenerator<MapPage, void, undefined> {
    const mark = mapMarkKey(this.ref.map);
    let start = mark;
    let revision = 0 as Revision;
    for (;;) {
      const answer = await this.#range(start, revision, options);
      // Answers to later pages tell of newer revisions, at which they were not read.
      if (revision === 0) ({ revision } = answer);
      const records = answer.views.flatMap(({ record }) => (record === undefined ? [] : [record]));
      if (start === mark) {
        const [first] = records.splice(0, 1);
        if (first === undefined || first.key !== mark || !this.#isMeant(first)) {
          throw this.noSuchMap();
        }
        start = `${mark}\0`;
      }
      yield { records, revision };
      const last = records.at(-1);
      if (!answer.more) return;
      if (last !== undefined) start = `${last.key}\0`;
    }
  }

  /** All entries at once, as of one revision that is no older than the call. */
  async all(options: ReadOptions = {}): Promise<MapPage> {
    const records: KeyRecord[] = [];
    let revision = 0;
    for await (const page of this.pages(options)) {
      for (const record of page.records) records.push(record);
      ({ revision } = page);
    }
    return { records, revision };
  }

  /** Events of entries and of the map's mark. */
  watch(from: number, signal: AbortSignal): Watch {
    const { map } = this.ref;
    return this.host.watchKeys(mapMarkKey(map), mapRangeEnd(map), from, signal);
  }

  noSuchMap(): HoldfastError {
    const message = `there is no map '${this.name}': it was never opened, or dropped`;
    return new HoldfastError('no-such-map', message);
  }

  /** Marks and definitions are written once, so that their revision is the map's. */
  #isMeant({ createRevision }: KeyRecord): boolean {
    return this.ref.created === 0 || this.ref.created === createRevision;
  }

  async #propose(
    command: MapCommand,
    options: WriteOptions,
    needsSession: boolean,
  ): Promise<CommandResult> {
    const patience = this.host.patience(options);
    const actor = await this.host.actorFor(options.session, patience, needsSession);
    return (await this.host.proposals.propose(command, actor, patience)).result;
  }

  async #get(key: ByteString, options: ReadOptions): Promise<AnswerOf<'get'>> {
    const { proposals } = this.host;
    const patience = this.host.patience(options);
    const query = { type: 'get', key } as const;
    const answer = await proposals.query(query, consistencyOf(options), patience);
    return answerOf(answer, 'get');
  }

  async #range(
    start: ByteString,
    revision: Revision,
    options: ReadOptions,
  ): Promise<AnswerOf<'range'>> {
    const end = mapRangeEnd(this.ref.map);
    const query = { type: 'range', start, end, limit: 0, keysOnly: false, revision } as const;
    const patience = this.host.patience(options);
    const answer = await this.host.proposals.query(query, consistencyOf(options), patience);
    return answerOf(answer, 'range');
  }
}

/** Of the record that defines a map. */
export function detailsIn({ key, value, createRevision }: KeyRecord): MapDetails {
  const { persist, prune } = decodeMapOptions(value);
  return { name: textOf(key.slice(mapKey('').length)), persist, prune, createRevision };
}
