import { IdTable } from '../base/index.ts';
import type { Channel, Request, Response } from '../protocol/index.ts';
import type { ClientEnvironment } from './environment.ts';
import type { OpenEndpoint, RefusalCode } from './link.ts';

/** Something that is sent and waits for responses under one id. */
export interface Exchange {
  /** About to leave: what to send. A response may come before `send` returns. */
  request(connection: Connection, id: number): Request;
  /** The only one, unless it belongs to a watch. */
  response(response: Response): void;
  /** The connection is gone; what was asked may or may not have happened. */
  lost(reason: string): void;
}

export interface ConnectionEvents {
  opened(connection: Connection): void;
  /** Called once, before its exchanges are told. */
  closed(connection: Connection, reason: string, code: RefusalCode | undefined): void;
  leader(address: string, connection: Connection): void;
  arrival(): void;
}

export interface ConnectionOptions {
  readonly address: string;
  readonly open: OpenEndpoint;
  readonly environment: ClientEnvironment;
  readonly events: ConnectionEvents;
  /** Not open after this long: given up. */
  readonly connectTimeoutMs: number;
  /** With requests under way and nothing heard for this long, asks for a sign of life. 0: never. */
  readonly silenceMs: number;
}

/**
 * One channel to one node: hands responses to whoever asked, notices when the node has gone
 * silent, and tells everyone once when it is over.
 */
export class Connection {
  readonly address: string;
  /** Known once open. */
  nodeId = '';
  #state: 'opening' | 'open' | 'closed' = 'opening';
  readonly #options: ConnectionOptions;
  #channel: Channel | undefined = undefined;
  readonly #exchanges = new IdTable<Exchange>();
  #lastId = 0;
  #retired = false;
  #refusals = 0;
  #cancelConnectTimer: () => void = () => {};
  #cancelWatchdog: (() => void) | undefined = undefined;
  #heard = false;
  #pingId = 0;

  constructor(options: ConnectionOptions) {
    this.address = options.address;
    this.#options = options;
  }

  /** Apart from the constructor, since its events may come before it returns. */
  connect(): void {
    const { environment, connectTimeoutMs, open } = this.#options;
    this.#cancelConnectTimer = environment.setTimer(connectTimeoutMs, () => {
      this.#end(`no answer within ${connectTimeoutMs} ms`, undefined);
    });
    const channel = open(this.address, {
      opened: (nodeId) => this.#opened(nodeId),
      response: (response) => this.#received(response),
      closed: (reason, code) => this.#end(reason, code),
    });
    if (this.#isClosed()) channel.close();
    else this.#channel = channel;
    if (this.#state === 'open') this.#options.events.opened(this);
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isIdle(): boolean {
    return this.#exchanges.size === 0;
  }

  /** Sends under a new id. Only while open. */
  send(exchange: Exchange): void {
    const id = ++this.#lastId;
    this.#exchanges.set(id, exchange);
    this.#watchForSilence();
    this.#channel?.send(exchange.request(this, id));
  }

  /** Sends what gets no response. */
  tell(request: Request): void {
    if (this.#state === 'open') this.#channel?.send(request);
  }

  /** Nobody waits for this id any more; the server is told to stop working on it. */
  forget(id: number): void {
    if (!this.#exchanges.delete(id)) return;
    this.tell({ type: 'cancel', id });
    this.#closeIfDone();
  }

  /** Closes once nothing is under way on it. */
  retire(): void {
    this.#retired = true;
    this.#closeIfDone();
  }

  /** How often in a row the node said that it cannot serve, this time included. */
  countRefusal(): number {
    return ++this.#refusals;
  }

  /** Takes a retired connection back into use. */
  revive(): void {
    this.#retired = false;
  }

  close(reason: string): void {
    this.#end(reason, undefined);
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #opened(nodeId: string): void {
    if (this.#state !== 'opening') return;
    this.nodeId = nodeId;
    this.#state = 'open';
    this.#cancelConnectTimer();
    // While `open` has not returned there is no channel to send on; `connect` tells it then.
    if (this.#channel !== undefined) this.#options.events.opened(this);
  }

  #received(response: Response): void {
    if (this.#state === 'closed') return;
    this.#options.events.arrival();
    this.#heard = true;
    this.#pingId = 0;
    if (response.type === 'leader') {
      this.#options.events.leader(response.address, this);
      return;
    }
    // An id nobody waits for is an answer that came after its caller gave up.
    const exchange = this.#exchanges.get(response.id);
    if (exchange === undefined) return;
    if (!finishes(response)) {
      exchange.response(response);
      return;
    }
    this.#exchanges.delete(response.id);
    if (response.type === 'ok') this.#refusals = 0;
    exchange.response(response);
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#retired && this.isIdle) this.#end('no longer needed', undefined);
  }

  #watchForSilence(): void {
    if (this.#cancelWatchdog === undefined && this.#options.silenceMs > 0) this.#beginWatchdog();
  }

  /** Apart, since a function with a closure in it costs something even when it makes none. */
  #beginWatchdog(): void {
    const { silenceMs, environment } = this.#options;
    const begunAt = environment.now();
    this.#heard = false;
    this.#cancelWatchdog = environment.setTimer(silenceMs, () => {
      this.#cancelWatchdog = undefined;
      if (this.isIdle || this.#state !== 'open') return;
      this.#judgeSilence(environment.now() - begunAt > silenceMs * 1.5);
    });
  }

  /** `stalled`: it was we who did not listen, so silence proves nothing this time. */
  #judgeSilence(stalled: boolean): void {
    if (!this.#heard && !stalled) {
      if (this.#pingId !== 0) {
        this.#end(`silent for ${2 * this.#options.silenceMs} ms`, undefined);
        return;
      }
      this.#pingId = ++this.#lastId;
      this.tell({ type: 'status', id: this.#pingId });
    }
    this.#watchForSilence();
  }

  #end(reason: string, code: RefusalCode | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#cancelConnectTimer();
    this.#cancelWatchdog?.();
    this.#channel?.close();
    this.#options.events.arrival();
    const exchanges = this.#exchanges.entries();
    this.#exchanges.clear();
    // First, so that nobody who sends again is given this connection.
    this.#options.events.closed(this, reason, code);
    for (const [, exchange] of exchanges) exchange.lost(reason);
  }
}

const UNFINISHED: ReadonlySet<Response['type']> = new Set([
  'watchStarted',
  'watchEvents',
  'backupStarted',
  'backupChunk',
]);

/** Whether nothing follows it under its id. */
export function finishes(response: Response): boolean {
  return !UNFINISHED.has(response.type);
}
