import type { ClientEnvironment } from './environment.ts';
import { backoffMs } from './backoff.ts';
import { Connection, type ConnectionEvents } from './connection.ts';
import type { OpenEndpoint, RefusalCode } from './link.ts';

export interface ConnectorOptions {
  readonly endpoints: readonly string[];
  readonly open: OpenEndpoint;
  readonly environment: ClientEnvironment;
  /** Prefer the node that leads; off when there is only one way in. */
  readonly followLeader: boolean;
  readonly connectTimeoutMs: number;
  readonly silenceMs: number;
  readonly events: ConnectorEvents;
}
export interface ConnectorEvents {
  /** There is a (new) connection for what is to be sent. */
  ready(connection: Connection): void;
  /** Every endpoint was tried and none let us in; trying goes on. */
  unreachable(): void;
  arrival(): void;
}

/** What an endpoint said when it did not let us in. */
interface Refusal {
  readonly reason: string;
  readonly code: RefusalCode | undefined;
}

const FIRST_BACKOFF_MS = 25;
const MAX_BACKOFF_MS = 1_000;
/** A leader that could not be reached is not tried again for this long. */
const LEADER_RETRY_MS = 2_000;
/** A node that knows of no leader for this long may be cut off from the others. */
const LEADERLESS_MS = 3_000;

/**
 * Keeps one main connection, to the leader where it can be reached and to any endpoint otherwise.
 * Tries endpoints one after another, and after a round in vain waits a little longer each time.
 */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #all = new Set<Connection>();
  readonly #refusals = new Map<string, Refusal>();
  readonly #avoidUntil = new Map<string, number>();
  #main: Connection | undefined = undefined;
  #candidate: Connection | undefined = undefined;
  /** Endpoints not yet tried in this round; undefined between rounds. */
  #round: string[] | undefined = undefined;
  #failedRounds = 0;
  #cancelBackoff: (() => void) | undefined = undefined;
  #leader = '';
  #cancelLeaderRetry: (() => void) | undefined = undefined;
  #cancelDoubt: (() => void) | undefined = undefined;
  #closed = false;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  get current(): Connection | undefined {
    return this.#main;
  }

  /** The connection to use now. When there is none, one is sought and `ready` follows. */
  main(): Connection | undefined {
    if (this.#main === undefined) this.#seek();
    return this.#main;
  }

  /** Where the leader is said to be. */
  leaderAt(address: string): void {
    this.#leader = address;
    if (!this.#options.followLeader || address === '' || this.#closed) return;
    if (this.#main?.address === address || this.#candidate?.address === address) return;
    if (this.#isAvoided(address)) {
      this.#retryLeaderLater();
      return;
    }
    const known = [...this.#all].find((one) => one.isOpen && one.address === address);
    if (known !== undefined) this.#adopt(known);
    else if (this.#main === undefined) this.#round?.unshift(address);
    else this.#connectTo(address);
  }

  /** What the node behind this connection knows of the leader. */
  #told(address: string, connection: Connection): void {
    if (this.#main === connection) this.#doubt(connection, address === '');
    if (address !== '') this.leaderAt(address);
    else if (this.#main === connection) this.#leader = '';
  }

  /**
   * When a node knows of no leader for long another is asked, even though nothing is refused: a
   * watch would hear nothing from a node that is cut off, or was removed. And so again and again,
   * as the other one may not let us in.
   */
  #doubt(connection: Connection, isLeaderless: boolean): void {
    this.#cancelDoubt?.();
    this.#cancelDoubt = undefined;
    const { endpoints, environment } = this.#options;
    if (!isLeaderless || this.#closed) return;
    if (endpoints.every((address) => address === connection.address)) return;
    this.#cancelDoubt = environment.setTimer(LEADERLESS_MS, () => {
      if (this.#main !== connection) return;
      this.passOver(connection);
      this.#doubt(connection, true);
    });
  }

  /** The node behind this connection does not serve: another may. */
  passOver(connection: Connection): void {
    if (this.#main !== connection || this.#candidate !== undefined || this.#closed) return;
    const others = this.#options.endpoints.filter((address) => address !== connection.address);
    const next = others[Math.floor(this.#options.environment.random() * others.length)];
    if (next !== undefined) this.#connectTo(next);
  }

  /** One sentence: which endpoints were tried and what each said. */
  describe(): string {
    const said = this.#options.endpoints.map((address) => {
      const refusal = this.#refusals.get(address);
      return `${address}: ${refusal?.reason ?? 'no answer yet'}`;
    });
    return said.join('; ');
  }

  /** The code every endpoint refused us with, when all agree and no other way in is known. */
  commonRefusal(): RefusalCode | undefined {
    const codes = this.#options.endpoints.map((address) => this.#refusals.get(address)?.code);
    const first = codes[0];
    return codes.every((code) => code === first) ? first : undefined;
  }

  close(): void {
    this.#closed = true;
    this.#cancelBackoff?.();
    this.#cancelLeaderRetry?.();
    this.#cancelDoubt?.();
    this.#main = undefined;
    for (const connection of this.#all) connection.close('the client is closed');
  }

  #seek(): void {
    if (this.#closed || this.#candidate !== undefined || this.#cancelBackoff !== undefined) return;
    this.#round ??= this.#newRound();
    const address = this.#round.shift();
    if (address !== undefined) this.#connectTo(address);
    else this.#roundFailed();
  }

  #newRound(): string[] {
    const { endpoints, environment } = this.#options;
    const start = Math.floor(environment.random() * endpoints.length);
    const round = [...endpoints.slice(start), ...endpoints.slice(0, start)];
    const leader = this.#options.followLeader ? this.#leader : '';
    const first = leader === '' ? [] : [leader];
    const order = [...first, ...round.filter((address) => address !== leader)];
    const avoided = order.filter((address) => this.#isAvoided(address));
    return [...order.filter((address) => !avoided.includes(address)), ...avoided];
  }

  #isAvoided(address: string): boolean {
    return (this.#avoidUntil.get(address) ?? 0) > this.#options.environment.now();
  }

  #retryLeaderLater(): void {
    this.#cancelLeaderRetry?.();
    this.#cancelLeaderRetry = this.#options.environment.setTimer(LEADER_RETRY_MS, () => {
      this.#cancelLeaderRetry = undefined;
      this.leaderAt(this.#leader);
    });
  }

  #roundFailed(): void {
    this.#round = undefined;
    const { environment, events } = this.#options;
    const delayMs = backoffMs(this.#failedRounds++, FIRST_BACKOFF_MS, MAX_BACKOFF_MS, environment);
    this.#cancelBackoff = environment.setTimer(delayMs, () => {
      this.#cancelBackoff = undefined;
      this.#seek();
    });
    events.unreachable();
  }

  #connectTo(address: string): void {
    const { open, environment, connectTimeoutMs, silenceMs } = this.#options;
    const connection = new Connection({
      address,
      open,
      environment,
      connectTimeoutMs,
      silenceMs,
      events: this.#connectionEvents,
    });
    this.#candidate = connection;
    this.#all.add(connection);
    connection.connect();
  }

  readonly #connectionEvents: ConnectionEvents = {
    opened: (connection) => {
      if (this.#candidate === connection) this.#candidate = undefined;
      this.#refusals.delete(connection.address);
      this.#failedRounds = 0;
      this.#adopt(connection);
    },
    closed: (connection, reason, code) => this.#lost(connection, { reason, code }),
    leader: (address, connection) => this.#told(address, connection),
    arrival: () => this.#options.events.arrival(),
  };

  #adopt(connection: Connection): void {
    const before = this.#main;
    this.#round = undefined;
    this.#main = connection;
    connection.revive();
    this.#options.events.ready(connection);
    before?.retire();
  }

  #lost(connection: Connection, refusal: Refusal): void {
    this.#all.delete(connection);
    const wasMain = this.#main === connection;
    if (!wasMain && this.#candidate !== connection) return;
    if (wasMain) this.#main = undefined;
    else this.#candidate = undefined;
    this.#refusals.set(connection.address, refusal);
    const { environment } = this.#options;
    if (connection.address === this.#leader) {
      this.#avoidUntil.set(connection.address, environment.now() + LEADER_RETRY_MS);
    }
    if (this.#closed || this.#main !== undefined) return;
    this.#seek();
  }
}
