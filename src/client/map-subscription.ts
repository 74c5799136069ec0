import { HoldfastError } from '../base/index.ts';
import { knownOptions } from './call-options.ts';
import { wholeNumber } from './checks.ts';
import type { MapAccess } from './map-access.ts';
import {
  eventOf,
  recordChange,
  watchedChange,
  type Decode,
  type MapChange,
} from './map-changes.ts';
import type { MapEvent, MapSubscribeOptions, MapSubscription } from './map-types.ts';
import { sharedController } from './waiting.ts';
import type { Watch } from './watch-types.ts';

/** What a subscription begins with: a snapshot, or nothing; then the watch goes on. */
interface Beginning<T> {
  readonly snapshot: MapChange<T>[];
  readonly watch: Watch;
  /** Only what comes after it is told. */
  readonly revision: number;
}

/** The open map that is subscribed to. */
interface FeedSource<T> {
  /** Aborts when there is nothing to follow any more. */
  readonly signal: AbortSignal;
  /** Called before a change is told, so that who hears of it can read it. */
  telling(change: MapChange<T>): void;
}

const ENDED_BY_SIZE_OR_AGE: ReadonlySet<string> = new Set(['compacted', 'overrun']);

/** A watch of a map's range, told in the map's terms. */
export class MapFeed<T> implements MapSubscription<T> {
  readonly started: Promise<{ readonly revision: number }>;
  readonly #access: MapAccess;
  readonly #decode: Decode<T>;
  readonly #source: FeedSource<T> | undefined;
  readonly #controller = sharedController();
  readonly #beginning: Promise<Beginning<T>>;
  readonly #release: () => void;
  #events: AsyncGenerator<MapEvent<T>, void, undefined> | undefined = undefined;

  /**
   * @throws HoldfastError `invalid-argument` for options that break a rule.
   */
  constructor(
    access: MapAccess,
    decode: Decode<T>,
    options: MapSubscribeOptions,
    source: FeedSource<T> | undefined,
  ) {
    knownOptions('subscribe', options);
    const from = wholeNumber(options.from ?? 0, 'from');
    if (options.initial === true && options.from !== undefined) {
      const rule = 'a subscription takes initial or from, not both';
      throw new HoldfastError('invalid-argument', rule);
    }
    this.#access = access;
    this.#decode = decode;
    this.#source = source;
    const end = (): void => this.#controller.abort();
    const sources = [options.signal, source?.signal].filter((signal) => signal !== undefined);
    for (const signal of sources) {
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
    }
    this.#release = () => {
      for (const signal of sources) signal.removeEventListener('abort', end);
    };
    this.#beginning = options.initial === true ? this.#beginWhole() : this.#beginAt(from);
    this.started = this.#beginning.then(({ revision }) => ({ revision }));
    // Whoever iterates learns of a failure there; `started` need not be looked at.
    this.started.catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#controller.abort();
    await this.#beginning.then(({ watch }) => watch.close()).catch(() => undefined);
    this.#release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<MapEvent<T>, void> {
    const events = (this.#events ??= this.#run());
    return {
      next: () => events.next(),
      return: async () => {
        await this.close();
        return { done: true, value: undefined };
      },
    };
  }

  async #beginWhole(): Promise<Beginning<T>> {
    const { map } = this.#access.ref;
    const { records, revision } = await this.#access.all({ signal: this.#controller.signal });
    const snapshot = records.map((record) => recordChange(map, record, this.#decode));
    return { snapshot, revision, watch: this.#watch(revision + 1) };
  }

  async #beginAt(from: number): Promise<Beginning<T>> {
    const { createRevision, asOf } = await this.#access.details({
      signal: this.#controller.signal,
    });
    // From a revision at which the map is there, so that its end is not missed; and from none
    // before it was made: what was under this name then belonged to another map.
    const wanted = from === 0 ? asOf + 1 : Math.max(from, createRevision);
    const watch = this.#watch(Math.min(wanted, asOf + 1));
    return { snapshot: [], revision: wanted - 1, watch };
  }

  #watch(from: number): Watch {
    return this.#access.watch(from, this.#controller.signal);
  }

  async *#run(): AsyncGenerator<MapEvent<T>, void, undefined> {
    const { signal } = this.#controller;
    try {
      const { snapshot, watch, revision } = await this.#beginning;
      for (const change of snapshot) {
        if (signal.aborted) return;
        yield this.#tell(change);
      }
      // However long it goes on, it holds what it began with no longer.
      snapshot.length = 0;
      for await (const event of watch) {
        const change = watchedChange(this.#access.ref.map, event, this.#decode);
        if (change === undefined && event.type === 'delete') return;
        if (change !== undefined && change.revision > revision) yield this.#tell(change);
      }
    } catch (error) {
      if (signal.aborted || (await this.#isOver(error))) return;
      throw error;
    } finally {
      await this.close();
    }
  }

  #tell(change: MapChange<T>): MapEvent<T> {
    this.#source?.telling(change);
    return eventOf(change);
  }

  /** The revision that drops a large map may be too large to send, or be forgotten already. */
  async #isOver(error: unknown): Promise<boolean> {
    if (!(error instanceof HoldfastError) || !ENDED_BY_SIZE_OR_AGE.has(error.code)) return false;
    try {
      await this.#access.details();
      return false;
    } catch (gone) {
      return gone instanceof HoldfastError && gone.code === 'no-such-map';
    }
  }
}
