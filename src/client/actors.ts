import { HoldfastError, utf8ToByteString } from '../base/index.ts';
import type { RegistryCommand, SessionId } from '../registry/index.ts';
import { knownOptions } from './call-options.ts';
import { ClientSession, type SessionHost } from './client-session.ts';
import { wholeNumber } from './checks.ts';
import { parseDuration } from './duration.ts';
import { encodeMetadata } from './edge.ts';
import type { RegistrySettings } from './options.ts';
import { OwnSession } from './own-session.ts';
import {
  NOBODY,
  resultOf,
  type Actor,
  type Applied,
  type Patience,
  type Substitutes,
} from './proposals.ts';
import type { CallOptions, SessionOptions, SessionRef } from './registry.ts';

/** How long closing may wait for the cluster to hear of it; the session ends by itself anyway. */
const CLOSE_TIMEOUT_MS = 1_000;
/** Part of a write's time after which the opening of its session fails, and tells why. */
const OPENING_SHARE = 0.9;
const NO_METADATA = new Uint8Array(0);

type WantedSession = Omit<Extract<RegistryCommand, { type: 'openSession' }>, 'type'>;

/** Opens sessions, and knows for which one a call acts. */
export class Actors implements Substitutes {
  readonly #host: SessionHost;
  readonly #settings: RegistrySettings;
  readonly #own: OwnSession;

  constructor(host: SessionHost, settings: RegistrySettings) {
    this.#host = host;
    this.#settings = settings;
    const label = utf8ToByteString('holdfast client');
    const timeout = Math.max(1, settings.requestTimeoutMs * OPENING_SHARE);
    // It traps exits: nobody who never named a session should lose it, and all that it owns, by
    // the end of one entry of a table.
    const own = { ttlMs: settings.sessionTtlMs, label, metadata: NO_METADATA, trapExits: true };
    const open = (): Promise<ClientSession> => this.#open(own, true, { timeout });
    this.#own = new OwnSession(open, host.clock.environment);
  }

  /** Id of the registry's own session, while it has one. */
  get own(): SessionId | undefined {
    return this.#own.current()?.id;
  }

  /**
   * The session named, else the registry's own, opened when writes are numbered or when one is
   * `needed`, for a lock say.
   */
  actorFor(
    ref: SessionRef | undefined,
    patience: Patience,
    needed: boolean,
  ): Actor | Promise<Actor> {
    if (ref instanceof ClientSession) return ref;
    if (ref !== undefined) {
      const session = wholeNumber(typeof ref === 'number' ? ref : ref.id, 'session') as SessionId;
      return { ...NOBODY, session };
    }
    const numbered = this.#settings.exactlyOnce || needed;
    const own = this.#own.current();
    if (needed) return own === undefined ? this.#reliedOn(patience) : this.#relyOn(own);
    if (own === undefined) return numbered ? this.#own.acquire(patience) : NOBODY;
    return numbered ? own : { ...NOBODY, session: own.session };
  }

  #relyOn(own: ClientSession): ClientSession {
    this.#own.relyOn(own);
    return own;
  }

  async #reliedOn(patience: Patience): Promise<ClientSession> {
    return this.#relyOn(await this.#own.acquire(patience));
  }

  /**
   * Acts for the session named, else for the registry's own. Should that one prove to be over, the
   * write, which then has certainly not happened, goes once more with a new one: unless the old one
   * was ever asked for a lock or for a key that goes with it. Those are gone, so what relied on
   * them must not pass.
   */
  propose(
    command: RegistryCommand,
    ref: SessionRef | undefined,
    patience: Patience,
    needed: boolean,
  ): Promise<Applied> {
    return this.proposeFor(command, ref, patience, needed, (applied) => applied);
  }

  /** The same, for what `read` makes of the result. Rejects, and never throws. */
  proposeFor<T>(
    command: RegistryCommand,
    ref: SessionRef | undefined,
    patience: Patience,
    needed: boolean,
    read: (applied: Applied) => T,
  ): Promise<T> {
    const { proposals } = this.#host;
    const elsewhere = ref === undefined ? this : undefined;
    const proposal = { command, patience, repeatable: false, read, elsewhere };
    try {
      const actor = this.actorFor(ref, patience, needed);
      return actor instanceof Promise
        ? actor.then((found) => proposals.proposeFor({ ...proposal, actor: found }))
        : proposals.proposeFor({ ...proposal, actor });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  anotherActor(error: unknown, actor: Actor, patience: Patience): Promise<Actor> | undefined {
    return this.#mayMove(error, actor) ? this.#own.acquire(patience) : undefined;
  }

  #mayMove(error: unknown, actor: Actor): boolean {
    if (!(error instanceof HoldfastError) || !(actor instanceof ClientSession)) return false;
    const isOver = error.code === 'session-expired' && error.outcome === 'not-applied';
    return isOver && this.#own.ownsNothing(actor);
  }

  async open(options: SessionOptions): Promise<ClientSession> {
    knownOptions('session', options);
    const { ttl, keepAlive } = options;
    const wanted = {
      ttlMs: ttl === undefined ? this.#settings.sessionTtlMs : parseDuration(ttl, 'ttl'),
      label: utf8ToByteString(options.label ?? ''),
      metadata: encodeMetadata(options.metadata),
      trapExits: options.trapExits === true,
    };
    return await this.#open(wanted, keepAlive !== false, options);
  }

  /** Ends the own session; the others end with their TTL. */
  async close(): Promise<void> {
    try {
      await this.#own.close(Math.min(CLOSE_TIMEOUT_MS, this.#settings.requestTimeoutMs));
    } catch {
      // The cluster is out of reach: the session ends with its TTL.
    }
    this.#host.clock.close();
  }

  /** Repeated when in doubt: a session too many harms nobody and ends with its TTL. */
  async #open(
    wanted: WantedSession,
    keepAlive: boolean,
    options: CallOptions,
  ): Promise<ClientSession> {
    const command = { type: 'openSession', ...wanted } as const;
    const patience = this.#host.patience(options);
    const applied = await this.#host.proposals.propose(command, NOBODY, patience, true);
    const granted = resultOf(applied.result, 'session');
    return new ClientSession(this.#host, {
      id: granted.session,
      ttlMs: granted.ttlMs,
      sentAtMs: applied.sentAtMs,
      keepAlive,
      trapExits: wanted.trapExits,
    });
  }
}
