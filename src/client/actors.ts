import { utf8ToByteString } from '../base/index.ts';
import type { ByteString, SessionId } from '../registry/index.ts';
import { ClientSession, type SessionHost } from './client-session.ts';
import { wholeNumber } from './checks.ts';
import { parseDuration } from './duration.ts';
import { encodeMetadata } from './edge.ts';
import type { RegistrySettings } from './options.ts';
import { OwnSession } from './own-session.ts';
import { NOBODY, resultOf, type Actor, type Patience } from './proposals.ts';
import type { CallOptions, SessionOptions, SessionRef } from './registry.ts';

/** How long closing may wait for the cluster to hear of it; the session ends by itself anyway. */
const CLOSE_TIMEOUT_MS = 1_000;
/** Part of a write's time after which the opening of its session fails, and tells why. */
const OPENING_SHARE = 0.9;
const NO_METADATA = new Uint8Array(0);

/** Opens sessions, and knows for which one a call acts. */
export class Actors {
  readonly #host: SessionHost;
  readonly #settings: RegistrySettings;
  readonly #own: OwnSession;

  constructor(host: SessionHost, settings: RegistrySettings) {
    this.#host = host;
    this.#settings = settings;
    const label = utf8ToByteString('holdfast client');
    const timeout = Math.max(1, settings.requestTimeoutMs * OPENING_SHARE);
    const open = (): Promise<ClientSession> =>
      this.#open(settings.sessionTtlMs, label, NO_METADATA, true, { timeout });
    this.#own = new OwnSession(open, host.clock.environment);
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
    if (own === undefined) return numbered ? this.#own.acquire(patience) : NOBODY;
    return numbered ? own : { ...NOBODY, session: own.session };
  }

  async open(options: SessionOptions): Promise<ClientSession> {
    const { ttl, label, metadata, keepAlive } = options;
    const ttlMs = ttl === undefined ? this.#settings.sessionTtlMs : parseDuration(ttl, 'ttl');
    const name = utf8ToByteString(label ?? '');
    return await this.#open(ttlMs, name, encodeMetadata(metadata), keepAlive !== false, options);
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
    ttlMs: number,
    label: ByteString,
    metadata: Uint8Array,
    keepAlive: boolean,
    options: CallOptions,
  ): Promise<ClientSession> {
    const command = { type: 'openSession', ttlMs, label, metadata } as const;
    const patience = this.#host.patience(options);
    const applied = await this.#host.proposals.propose(command, NOBODY, patience, true);
    const granted = resultOf(applied.result, 'session');
    return new ClientSession(this.#host, {
      id: granted.session,
      ttlMs: granted.ttlMs,
      sentAtMs: applied.sentAtMs,
      keepAlive,
    });
  }
}
