/** A backup on its way from a node, as the bytes that `saveBackup` writes into a file. */
import { HoldfastError, unreachable } from '../base/index.ts';
import type { BackupOrigin, Consistency, Request, Response } from '../protocol/index.ts';
import { encodeBackup } from './backup-format.ts';
import { Connection, type Exchange } from './connection.ts';
import type { ClientEnvironment } from './environment.ts';
import { errorFromWire } from './error-response.ts';
import type { OpenEndpoint } from './link.ts';
import type { CallOptions } from './registry.ts';

export interface BackupOptions extends CallOptions {
  /**
   * `linearizable` by default: the backup holds everything acknowledged before it was asked for.
   * `local` takes a node's state as it is, also without a quorum.
   */
  readonly consistency?: Consistency;
}

export interface BackupSource {
  /** Tried in this order; the first that serves gives all of the backup. */
  readonly endpoints: readonly string[];
  readonly open: OpenEndpoint;
  readonly environment: ClientEnvironment;
  readonly connectTimeoutMs: number;
  /** How long each endpoint may take to begin. */
  readonly startTimeoutMs: number;
  readonly silenceMs: number;
}

/** Takes a backup over a connection of its own, so that nothing else waits behind it. */
export async function* streamBackup(
  source: BackupSource,
  options: BackupOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const call = await begin(source, options);
  try {
    yield* encodeBackup({ ...call.origin, savedAt: Date.now() }, call.chunks());
  } finally {
    call.close();
  }
}

async function begin(source: BackupSource, options: BackupOptions): Promise<StartedCall> {
  const { consistency = 'linearizable', signal } = options;
  const failures: HoldfastError[] = [];
  for (const endpoint of source.endpoints) {
    const call = new BackupCall(source, endpoint, consistency, signal);
    const outcome = await call.started;
    if (!(outcome instanceof HoldfastError)) return new StartedCall(call, outcome);
    failures.push(outcome);
    if (outcome.code === 'aborted') break;
  }
  const last = failures.at(-1)!;
  if (failures.length === 1 || last.code === 'aborted') throw last;
  const all = failures.map(({ message }, i) => `${source.endpoints[i]}: ${message}`).join('; ');
  throw new HoldfastError(last.code, `no endpoint gave a backup: ${all}`, { cause: last });
}

class StartedCall {
  readonly origin: BackupOrigin;
  readonly #call: BackupCall;

  constructor(call: BackupCall, origin: BackupOrigin) {
    this.#call = call;
    this.origin = origin;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = await this.#call.next();
      if (chunk === undefined) return;
      yield chunk;
      this.#call.consumed(chunk.length);
    }
  }

  close(): void {
    this.#call.close();
  }
}

/** One attempt at one endpoint. */
class BackupCall implements Exchange {
  /** Never rejects. */
  readonly started: Promise<BackupOrigin | HoldfastError>;
  readonly #connection: Connection;
  readonly #source: BackupSource;
  readonly #consistency: Consistency;
  readonly #signal: AbortSignal | undefined;
  readonly #cancelTimer: () => void;
  readonly #chunks: Uint8Array[] = [];
  #start: (outcome: BackupOrigin | HoldfastError) => void = () => {};
  #wake: () => void = () => {};
  #id = 0;
  /** Undefined while it goes on. */
  #end: { readonly error: HoldfastError | undefined } | undefined = undefined;

  constructor(
    source: BackupSource,
    endpoint: string,
    consistency: Consistency,
    signal: AbortSignal | undefined,
  ) {
    this.#source = source;
    this.#consistency = consistency;
    this.#signal = signal;
    this.started = new Promise((resolve) => {
      this.#start = resolve;
    });
    const { startTimeoutMs, environment } = source;
    this.#cancelTimer = environment.setTimer(startTimeoutMs, () => {
      this.#finish(new HoldfastError('timeout', `no backup began within ${startTimeoutMs} ms`));
    });
    this.#connection = new Connection({
      ...source,
      address: endpoint,
      events: {
        opened: () => this.#connection.send(this),
        closed: (_connection, reason) => this.lost(reason),
        leader: () => undefined,
        arrival: () => undefined,
      },
    });
    signal?.addEventListener('abort', this.#abort);
    if (signal?.aborted === true) this.#abort();
    else this.#connection.connect();
  }

  request(_connection: Connection, id: number): Request {
    this.#id = id;
    const timeoutMs = this.#source.startTimeoutMs;
    return { type: 'backup', id, timeoutMs, consistency: this.#consistency };
  }

  response(response: Response): void {
    switch (response.type) {
      case 'backupStarted':
        this.#cancelTimer();
        this.#start(response.origin);
        return;
      case 'backupChunk':
        this.#chunks.push(response.payload);
        this.#wake();
        return;
      case 'ok':
        this.#finish(undefined);
        return;
      case 'error': {
        const { code, message, outcome, leader } = response;
        this.#finish(errorFromWire(code, message, outcome, leader));
        return;
      }
      case 'status':
      case 'leader':
      case 'watchStarted':
      case 'watchEvents':
      case 'watchEnded':
        this.#finish(new HoldfastError('internal', `a backup was answered with ${response.type}`));
        return;
      default:
        unreachable(response);
    }
  }

  lost(reason: string): void {
    const text = `the connection was lost: ${reason}; begin the backup anew`;
    this.#finish(new HoldfastError('connection-lost', text));
  }

  /** The next chunk, undefined after the last; rejects when the backup broke off. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0 && this.#end === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#end?.error !== undefined) throw this.#end.error;
    return this.#chunks.shift();
  }

  consumed(bytes: number): void {
    if (this.#end !== undefined) return;
    this.#connection.tell({ type: 'watchCredit', id: this.#id, bytes });
  }

  close(): void {
    this.#finish(new HoldfastError('closed', 'the backup was given up'));
  }

  readonly #abort = (): void => {
    const cause: unknown = this.#signal?.reason;
    this.#finish(new HoldfastError('aborted', 'the backup was aborted by its signal', { cause }));
  };

  #finish(error: HoldfastError | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#cancelTimer();
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#start(error ?? new HoldfastError('internal', 'the backup ended before it began'));
    this.#wake();
    this.#connection.forget(this.#id);
    this.#connection.close('the backup is over');
  }
}
