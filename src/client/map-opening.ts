import { HoldfastError } from '../base/index.ts';
import { backoffMs } from './backoff.ts';
import { ClientSession } from './client-session.ts';
import type { CallOptions, SessionRef } from './key-types.ts';
import { MapAccess, type MapHost } from './map-access.ts';
import type { ByteString, MapOptions as StoredOptions } from '../registry/index.ts';
import type { Actor } from './proposals.ts';
import { pause } from './waiting.ts';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;
/** What opening it once more cannot mend. */
const FINAL: ReadonlySet<string> = new Set(['no-such-map', 'map-conflict', 'closed']);

interface Wanted {
  readonly options: StoredOptions;
  /** The registry's own when absent. */
  readonly session: SessionRef | undefined;
  /** Ends the keeping. */
  readonly signal: AbortSignal;
  /** Called once the map is open no more, and why. */
  readonly over: (error: HoldfastError) => void;
  /** Called when it is being detached from, with what settles afterwards. */
  readonly leaving: (left: Promise<void>) => void;
}

/**
 * That a session has a map open. The registry's own session is replaced after its end, and then has
 * the map open, too, unless it was dropped meanwhile; with a session of the user's it is over.
 */
export class MapOpening {
  readonly access: MapAccess;
  readonly #wanted: Wanted;
  #actor: Actor;

  /** Opens the map of that name, creating it if need be. */
  static async open(
    host: MapHost,
    map: ByteString,
    wanted: Wanted,
    call: CallOptions,
  ): Promise<MapOpening> {
    const patience = host.patience(call);
    const actor = await host.actorFor(wanted.session, patience, true);
    const created = await new MapAccess(host, map, 0).open(wanted.options, actor, patience);
    return new MapOpening(new MapAccess(host, map, created), wanted, actor);
  }

  private constructor(access: MapAccess, wanted: Wanted, actor: Actor) {
    this.access = access;
    this.#wanted = wanted;
    this.#actor = actor;
    this.#guard(actor);
  }

  detach(options: CallOptions | undefined): Promise<void> {
    const left = this.access.detach(this.#actor, this.access.host.patience(options));
    this.#wanted.leaving(left);
    return left;
  }

  /** A session known by its number alone tells nothing; its writes do. */
  #guard(actor: Actor): void {
    this.#actor = actor;
    if (!(actor instanceof ClientSession)) return;
    const { signal } = actor;
    const { session, signal: keeping, over } = this.#wanted;
    const ended = (): void => {
      if (keeping.aborted) return;
      if (session === undefined) void this.#openAgain();
      else over(reasonOf(signal));
    };
    if (signal.aborted) ended();
    else signal.addEventListener('abort', ended, { once: true });
    const release = (): void => signal.removeEventListener('abort', ended);
    keeping.addEventListener('abort', release, { once: true });
  }

  async #openAgain(): Promise<void> {
    const { host } = this.access;
    const { options, signal, over } = this.#wanted;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const patience = host.patience({ signal });
        const actor = await host.actorFor(undefined, patience, true);
        if (signal.aborted) return;
        // Whoever detaches from here on does so for this one.
        this.#actor = actor;
        await this.access.open(options, actor, patience);
        this.#guard(actor);
        return;
      } catch (error) {
        if (error instanceof HoldfastError && FINAL.has(error.code)) {
          over(error);
          return;
        }
      }
      const { environment } = host.proposals;
      const delayMs = backoffMs(failures, FIRST_PAUSE_MS, MAX_PAUSE_MS, environment);
      await pause(delayMs, environment, signal);
    }
  }
}

function reasonOf(signal: AbortSignal): HoldfastError {
  const reason: unknown = signal.reason;
  return reason instanceof HoldfastError
    ? reason
    : new HoldfastError('session-expired', 'the session the map was opened for is over');
}
