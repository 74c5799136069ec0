/** The load of the kill rounds: what each client does, and what it remembers of it. */
import { HoldfastError, type HoldfastClient } from '../../src/client/index.ts';

const LOCK_EVERY = 8;
const LOCK_NAME = 'shared';

/** What all clients saw together. */
export interface Observations {
  /** Keys acknowledged, each put once with its own value. */
  readonly acknowledgedKeys: Map<string, string>;
  acknowledged: number;
  unknown: number;
  refused: number;
  /** Fencing tokens in the order their locks were acquired. */
  readonly tokens: number[];
  /** What must never be; empty in a good run. */
  readonly violations: string[];
}

export function newObservations(): Observations {
  return {
    acknowledgedKeys: new Map(),
    acknowledged: 0,
    unknown: 0,
    refused: 0,
    tokens: [],
    violations: [],
  };
}

/** What one client may have written to its own counter key: at least `sure`, at most `possible`. */
export interface OwnKey {
  readonly key: string;
  sure: number;
  possible: number;
}

interface Shared {
  holders: number;
}

export class ClientLoad {
  readonly own: OwnKey;
  readonly #client: HoldfastClient;
  readonly #seen: Observations;
  readonly #shared: Shared;
  readonly #name: string;
  #count = 0;

  constructor(client: HoldfastClient, name: string, seen: Observations, shared: Shared) {
    this.#client = client;
    this.#name = name;
    this.#seen = seen;
    this.#shared = shared;
    this.own = { key: `own/${name}`, sure: 0, possible: 0 };
  }

  async run(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      this.#count++;
      await this.#putOwn();
      await this.#putUnique();
      if (this.#count % LOCK_EVERY === 0) await this.#lockOnce();
    }
  }

  /** The key's version counts how often a put of ours was applied: a put applied twice shows. */
  async #putOwn(): Promise<void> {
    this.own.possible++;
    const record = await this.#attempt(
      () => this.#client.registry.put(this.own.key, `${this.#count}`),
      () => this.own.possible--,
    );
    if (record === undefined) return;
    this.own.sure++;
    if (record.version < this.own.sure || record.version > this.own.possible) {
      const bounds = `${this.own.sure} to ${this.own.possible}`;
      this.#seen.violations.push(
        `${this.own.key} was written ${record.version} times; ${bounds} are possible`,
      );
    }
  }

  async #putUnique(): Promise<void> {
    const key = `unique/${this.#name}/${this.#count}`;
    const value = `${this.#name}-${this.#count}`;
    const record = await this.#attempt(() => this.#client.registry.put(key, value));
    if (record !== undefined) this.#seen.acknowledgedKeys.set(key, value);
  }

  async #lockOnce(): Promise<void> {
    const body = async ({ token }: { token: number; signal: AbortSignal }): Promise<void> => {
      const last = this.#seen.tokens.at(-1) ?? 0;
      if (token <= last) this.#seen.violations.push(`token ${token} was given after ${last}`);
      this.#seen.tokens.push(token);
      this.#shared.holders++;
      if (this.#shared.holders > 1) {
        this.#seen.violations.push(`${this.#shared.holders} clients hold the lock at once`);
      }
      await this.#putUnique();
      this.#shared.holders--;
    };
    const options = { ttl: '10s', wait: '3s' } as const;
    await this.#attempt(() => this.#client.registry.withLock(LOCK_NAME, options, body));
  }

  /** The result, or undefined after an expected failure, which is counted. */
  async #attempt<T>(call: () => Promise<T>, notApplied?: () => void): Promise<T | undefined> {
    try {
      const result = await call();
      this.#seen.acknowledged++;
      return result;
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      if (error.outcome === 'unknown') this.#seen.unknown++;
      else {
        this.#seen.refused++;
        notApplied?.();
      }
      return undefined;
    }
  }
}
