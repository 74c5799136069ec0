import { HoldfastError } from '../base/index.ts';
import { backoffMs } from './backoff.ts';
import type { CallOptions } from './key-types.ts';
import type { MapAccess } from './map-access.ts';
import { recordChange, watchedChange, type Decode } from './map-changes.ts';
import type { MapReplica } from './map-replica.ts';
import { pause } from './waiting.ts';

const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1_000;
const LEFT_BEHIND: ReadonlySet<string> = new Set(['compacted', 'overrun']);
/** What another attempt cannot mend. */
const FINAL: ReadonlySet<string> = new Set(['no-such-map', 'closed']);

/** Keeps a replica in step with its map: a list, then a watch; a list again when that ends. */
export class MapFollower<T> {
  readonly #access: MapAccess;
  readonly #replica: MapReplica<T>;
  readonly #decode: Decode<T>;
  readonly #signal: AbortSignal;

  /** @param signal Ends the following. */
  constructor(access: MapAccess, replica: MapReplica<T>, decode: Decode<T>, signal: AbortSignal) {
    this.#access = access;
    this.#replica = replica;
    this.#decode = decode;
    this.#signal = signal;
  }

  /** Brings everything here, or rejects. */
  async load(options: CallOptions): Promise<void> {
    const { map } = this.#access.ref;
    const { records, revision } = await this.#access.all(options);
    const changes = records.map((record) => recordChange(map, record, this.#decode));
    this.#replica.replace(changes, revision);
  }

  /** Resolves to why it ended: the map is gone, or the registry is closed. */
  async follow(): Promise<HoldfastError> {
    for (;;) {
      try {
        return await this.#watch();
      } catch (error) {
        const known = error instanceof HoldfastError ? error : internal(error);
        if (!LEFT_BEHIND.has(known.code)) return known;
      }
      const end = await this.#loadAgain();
      if (end !== undefined) return end;
    }
  }

  async #watch(): Promise<HoldfastError> {
    const watch = this.#access.watch(this.#replica.revision + 1, this.#signal);
    for await (const event of watch) {
      const change = watchedChange(this.#access.ref.map, event, this.#decode);
      if (change === undefined && event.type === 'delete') return this.#access.noSuchMap();
      if (change !== undefined) this.#replica.watched(change, event.last);
    }
    return new HoldfastError('closed', 'the map was closed here');
  }

  /** As often as it takes; meanwhile the replica stays as it is. */
  async #loadAgain(): Promise<HoldfastError | undefined> {
    for (let failures = 0; !this.#signal.aborted; failures++) {
      try {
        await this.load({ signal: this.#signal });
        return undefined;
      } catch (error) {
        if (error instanceof HoldfastError && FINAL.has(error.code)) return error;
      }
      const { environment } = this.#access.host.proposals;
      const delayMs = backoffMs(failures, FIRST_PAUSE_MS, MAX_PAUSE_MS, environment);
      await pause(delayMs, environment, this.#signal);
    }
    return new HoldfastError('closed', 'the map was closed here');
  }
}

function internal(cause: unknown): HoldfastError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HoldfastError('internal', `a map could not be followed: ${why}`, { cause });
}
