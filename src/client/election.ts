/** Leader election on a lock and the key of the same name. */
import { byteStringToBytes, HoldfastError, type ErrorCode, type Outcome } from '../base/index.ts';
import { queueKey } from '../registry/index.ts';
import { knownOptions } from './call-options.ts';
import { compare } from './compares.ts';
import type {
  CampaignOptions,
  Election,
  ElectionEvent,
  ElectionLeader,
  Leadership,
  ObserveOptions,
} from './election-types.ts';
import type { HeldLockHandle } from './held-lock.ts';
import { op } from './operations.ts';
import type {
  CallOptions,
  Key,
  ReadOptions,
  Registry,
  RegistryRecord,
  Session,
  SessionOptions,
  Value,
  WatchEvent,
} from './registry.ts';

/** What elections need beside the registry's own calls. */
export interface ElectionHost {
  readonly registry: Registry;
  /** Takes the lock for a session, or for the one named in the options. */
  lock(name: Key, session: Session | undefined, options: CampaignOptions): Promise<Won>;
  openSession(options: SessionOptions): Promise<Session>;
}

/** A lock that was won, watched over until released. */
export interface Won {
  readonly lock: HeldLockHandle;
  /** Calls `lost` once, should that happen; returns how to end that. */
  watchOver(lost: (error: HoldfastError) => void): () => void;
}

export class RegistryElection implements Election {
  readonly #host: ElectionHost;
  readonly #name: Key;

  constructor(host: ElectionHost, name: Key) {
    this.#host = host;
    this.#name = name;
  }

  async campaign(value: Value, options: CampaignOptions = {}): Promise<Leadership> {
    knownOptions('campaign', options);
    const own = options.session === undefined ? await this.#openSession(options) : undefined;
    try {
      const won = await this.#host.lock(this.#name, own, options);
      const leadership = new LeadershipHandle(this.#host, this.#name, won, own);
      try {
        await leadership.proclaim(value, timeoutOf(options));
        return leadership;
      } catch (error) {
        leadership.end();
        if (own === undefined) await won.lock[Symbol.asyncDispose]();
        else won.lock.forget();
        throw error;
      }
    } catch (error) {
      // Its end, now or by its TTL, takes the place in the queue along.
      await own?.close().catch(() => undefined);
      throw error;
    }
  }

  async leader(options: ReadOptions = {}): Promise<ElectionLeader | undefined> {
    return leaderOf(await this.#host.registry.get(this.#name, options));
  }

  async *observe(options: ObserveOptions = {}): AsyncGenerator<ElectionEvent, void, undefined> {
    knownOptions('observe', options);
    const { signal } = options;
    let last: ElectionLeader | undefined;
    for (;;) {
      if (signal?.aborted === true) return;
      try {
        const from = await this.#host.registry.revision();
        const current = await this.#leaderAt(from);
        if (current !== undefined && current.revision !== last?.revision) {
          yield eventOf(last, current);
        } else if (current === undefined && last !== undefined) {
          yield { type: 'vacant', revision: from };
        }
        last = current;
        for await (const event of this.#watch(from + 1, signal)) {
          const next = await this.#follow(event, last);
          if (next !== undefined) yield next;
          if (next !== undefined) last = next.type === 'vacant' ? undefined : next.leader;
        }
        return;
      } catch (error) {
        if (!isOneOf(error, 'compacted', 'overrun')) throw error;
      }
    }
  }

  #watch(from: number, signal: AbortSignal | undefined): AsyncIterable<WatchEvent> {
    return this.#host.registry.watch({
      key: this.#name,
      from,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** What an event of the key says; nothing, when whoever wrote it did not lead. */
  async #follow(
    event: WatchEvent,
    last: ElectionLeader | undefined,
  ): Promise<ElectionEvent | undefined> {
    const { revision } = event;
    if (event.type === 'delete') {
      return last === undefined ? undefined : { type: 'vacant', revision };
    }
    const leader = await this.#leaderAt(revision);
    return leader === undefined ? undefined : eventOf(last, leader);
  }

  async #leaderAt(revision: number): Promise<ElectionLeader | undefined> {
    if (revision === 0) return undefined;
    const page = { prefix: this.#name, limit: 1, revision };
    const { records } = await this.#host.registry.list(page);
    const [record] = records;
    return record !== undefined && sameKey(record, this.#name) ? leaderOf(record) : undefined;
  }

  #openSession(options: CampaignOptions): Promise<Session> {
    const { ttl } = options;
    const name = typeof this.#name === 'string' ? this.#name : 'of bytes';
    const label = `election ${name}`.slice(0, MAX_LABEL_LENGTH);
    return this.#host.openSession({
      ...timeoutOf(options),
      label,
      ...(ttl === undefined ? {} : { ttl }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }
}

const MAX_LABEL_LENGTH = 256;

class LeadershipHandle implements Leadership {
  readonly name: string;
  readonly session: number;
  readonly token: number;
  readonly signal: AbortSignal;
  readonly #host: ElectionHost;
  readonly #key: Key;
  readonly #won: Won;
  /** Opened for this leadership alone. */
  readonly #own: Session | undefined;
  readonly #unwatch: () => void;
  readonly #controller = new AbortController();
  #resigned: Promise<void> | undefined = undefined;

  constructor(host: ElectionHost, key: Key, won: Won, own: Session | undefined) {
    this.#host = host;
    this.#key = key;
    this.#won = won;
    this.#own = own;
    this.name = won.lock.name;
    this.session = won.lock.session;
    this.token = won.lock.token;
    this.signal = this.#controller.signal;
    this.#unwatch = won.watchOver((loss) => this.#lost(loss));
  }

  /** In the same step as a look at the lock: who was deposed proclaims nothing. */
  async proclaim(value: Value, options: CallOptions = {}): Promise<void> {
    this.#throwIfOver();
    const session = this.#own ?? this.session;
    const { name, session: holder } = this.#won.lock.place;
    const place = byteStringToBytes(queueKey(name, holder));
    const { succeeded } = await this.#host.registry
      .txn()
      .if(compare.createRevision(place).equals(this.token))
      .then(op.put(this.#key, value, { ephemeral: true, persist: true }))
      .commit({ ...options, session });
    if (!succeeded) {
      const why = `the lock with token ${this.token} is gone`;
      const message = `'${this.name}' is led no more from here: ${why}`;
      this.#lost(new HoldfastError('not-held', message));
    }
    // Whoever leads no more by now may have proclaimed it all the same.
    this.#throwIfOver(succeeded ? 'unknown' : 'not-applied');
  }

  resign(options: CallOptions = {}): Promise<void> {
    this.#resigned ??= this.#resign(options).catch((error: unknown) => {
      this.#resigned = undefined;
      throw error;
    });
    return this.#resigned;
  }

  /** From now on it leads no more, whatever the cluster knows of that. */
  end(): void {
    this.#unwatch();
    this.#controller.abort(
      new HoldfastError('not-held', `'${this.name}' is led no more from here`),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resign().catch(() => undefined);
  }

  /** The key and the lock go at once with the session; without one, the key goes first. */
  async #resign(options: CallOptions): Promise<void> {
    const over = this.signal.aborted;
    this.end();
    if (this.#own !== undefined) {
      this.#won.lock.forget();
      await this.#own.close(options);
    } else if (!over) {
      await this.#host.registry.delete(this.#key, { ...options, session: this.session });
      await this.#won.lock.unlock(options);
    }
  }

  #lost(loss: HoldfastError): void {
    this.#controller.abort(loss);
    // A session that is over ends by its TTL: closing it would pass over the lock-delay.
    if (this.#own === undefined || loss.code === 'session-expired') return;
    // An operator may have broken the lock: what was proclaimed must go too.
    this.#won.lock.forget();
    this.#own.close().catch(() => undefined);
  }

  #throwIfOver(outcome: Outcome = 'not-applied'): void {
    if (!this.signal.aborted) return;
    const cause: unknown = this.signal.reason;
    const known = cause instanceof HoldfastError ? cause : undefined;
    const message = known?.message ?? `'${this.name}' is led no more from here`;
    throw new HoldfastError(known?.code ?? 'not-held', message, { outcome, cause });
  }
}

/** Who leads as of a record: its lock's holder, if that is who wrote it. */
function leaderOf(record: RegistryRecord | undefined): ElectionLeader | undefined {
  const lock = record?.lock;
  if (record === undefined || lock === undefined || lock.session !== record.session) {
    return undefined;
  }
  const { session, token } = lock;
  const { value, modRevision: revision } = record;
  return { session, token, value, revision, text: () => record.text() };
}

function eventOf(last: ElectionLeader | undefined, leader: ElectionLeader): ElectionEvent {
  return { type: last?.token === leader.token ? 'proclaimed' : 'elected', leader };
}

function sameKey(record: RegistryRecord, key: Key): boolean {
  if (typeof key === 'string') return record.key === key;
  return (
    key.length === record.keyBytes.length && record.keyBytes.every((byte, i) => byte === key[i])
  );
}

function timeoutOf({ timeout }: CallOptions): CallOptions {
  return timeout === undefined ? {} : { timeout };
}

function isOneOf(error: unknown, ...codes: ErrorCode[]): boolean {
  return error instanceof HoldfastError && codes.includes(error.code);
}
