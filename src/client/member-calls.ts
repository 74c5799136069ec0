/** Calls to one particular member of the cluster, whoever leads: each answers for itself. */
import { HoldfastError } from '../base/index.ts';
import type { Channel, MemberStatus, Request, Response } from '../protocol/index.ts';
import { Connection, type Exchange } from './connection.ts';
import type { ClientEnvironment } from './environment.ts';
import { errorFromWire } from './error-response.ts';
import { attemptOf, type EndpointEvents, type Link, type LinkRequest } from './link.ts';
import type { Patience } from './proposals.ts';
import { abortError } from './waiting.ts';

/** As `OpenEndpoint`, for a member of known id. */
export type OpenMember = (member: MemberStatus, events: EndpointEvents) => Channel;

export interface MemberCallsOptions {
  readonly open: OpenMember;
  readonly environment: ClientEnvironment;
  readonly connectTimeoutMs: number;
  readonly silenceMs: number;
}

export type MemberAnswer = Extract<Response, { type: 'ok' | 'status' }>;

/** One connection to each member that was asked, kept until `close`. */
export class MemberCalls {
  readonly environment: ClientEnvironment;
  readonly #link: Link;
  readonly #options: MemberCallsOptions;
  readonly #connections = new Map<string, MemberConnection>();
  #closed = false;

  /** `link`: where the members and their addresses are asked for. */
  constructor(link: Link, options: MemberCallsOptions) {
    this.#link = link;
    this.environment = options.environment;
    this.#options = options;
  }

  /** The cluster's members as the node that the link talks to knows them. */
  async members({ deadlineMs, signal }: Patience): Promise<readonly MemberStatus[]> {
    const timeoutMs = Math.max(1, deadlineMs - this.environment.now());
    const request = { type: 'status' } as const;
    const { response } = await this.#link.call({ request, repeatable: true, timeoutMs, signal });
    if (response.type !== 'status') throw new HoldfastError('internal', 'no status came');
    return response.status.members;
  }

  /**
   * Not repeated. Rejects with `connection-lost` when the member cannot be reached, with
   * `invalid-argument` when there is none of this id.
   */
  async call(id: string, request: LinkRequest, patience: Patience): Promise<MemberAnswer> {
    const cached = this.#connections.get(id);
    if (cached !== undefined) {
      try {
        return await cached.call(request, patience);
      } catch (error) {
        // It may have been the connection to an earlier life of the node.
        if (!isLostInVain(error)) throw error;
      }
    }
    const connection = await this.#connect(id, patience);
    if (this.#closed) throw new HoldfastError('closed', 'this registry is closed');
    const { signal } = patience;
    if (signal?.aborted === true) throw abortError(signal, 'the call');
    return await connection.call(request, patience);
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  async #connect(id: string, patience: Patience): Promise<MemberConnection> {
    const members = await this.members(patience);
    const member = members.find((one) => one.id === id);
    if (member === undefined) {
      const names = members.map((one) => one.id).join(', ');
      throw new HoldfastError('invalid-argument', `${id} is no member: there are ${names}`);
    }
    const known = this.#connections.get(id);
    if (known !== undefined) return known;
    const connection = new MemberConnection(member, this.#options, () => {
      if (this.#connections.get(id) === connection) this.#connections.delete(id);
    });
    if (!this.#closed) {
      this.#connections.set(id, connection);
      connection.connect();
    }
    return connection;
  }
}

function isLostInVain(error: unknown): boolean {
  if (!(error instanceof HoldfastError)) return false;
  return error.code === 'connection-lost' && error.outcome === 'not-applied';
}

/** Calls wait until it is open; when it is over they fail, and the next begins another. */
class MemberConnection {
  readonly #member: MemberStatus;
  readonly #environment: ClientEnvironment;
  readonly #connection: Connection;
  #waiting: MemberCall[] = [];
  #over: string | undefined = undefined;

  constructor(member: MemberStatus, options: MemberCallsOptions, closed: () => void) {
    this.#member = member;
    this.#environment = options.environment;
    this.#connection = new Connection({
      address: member.address,
      open: (_address, events) => options.open(member, events),
      environment: options.environment,
      connectTimeoutMs: options.connectTimeoutMs,
      silenceMs: options.silenceMs,
      events: {
        opened: () => this.#opened(),
        closed: (_connection, reason) => {
          this.#over = reason;
          closed();
          for (const call of this.#waiting.splice(0)) call.lost(reason);
        },
        leader: () => undefined,
        arrival: () => undefined,
      },
    });
  }

  connect(): void {
    this.#connection.connect();
  }

  call(request: LinkRequest, patience: Patience): Promise<MemberAnswer> {
    return new Promise((resolve, reject) => {
      const { id } = this.#member;
      const call = new MemberCall(id, request, patience, this.#environment, resolve, reject);
      if (this.#over !== undefined) call.lost(this.#over);
      else if (this.#connection.isOpen) this.#connection.send(call);
      else this.#waiting.push(call);
    });
  }

  close(): void {
    this.#connection.close('the client is closed');
  }

  #opened(): void {
    const { id, address } = this.#member;
    const { nodeId } = this.#connection;
    if (nodeId !== id) {
      this.#connection.close(`${address} is to be ${id}, but ${nodeId} answers there`);
      return;
    }
    for (const call of this.#waiting.splice(0)) {
      if (!call.over) this.#connection.send(call);
    }
  }
}

class MemberCall implements Exchange {
  readonly #member: string;
  readonly #request: LinkRequest;
  readonly #patience: Patience;
  readonly #environment: ClientEnvironment;
  readonly #resolve: (answer: MemberAnswer) => void;
  readonly #reject: (error: HoldfastError) => void;
  readonly #cancelTimer: () => void;
  /** Answered, failed or given up. */
  over = false;
  #sent: { readonly connection: Connection; readonly id: number } | undefined = undefined;

  constructor(
    member: string,
    request: LinkRequest,
    patience: Patience,
    environment: ClientEnvironment,
    resolve: (answer: MemberAnswer) => void,
    reject: (error: HoldfastError) => void,
  ) {
    this.#member = member;
    this.#request = request;
    this.#patience = patience;
    this.#environment = environment;
    this.#resolve = resolve;
    this.#reject = reject;
    patience.signal?.addEventListener('abort', this.#abort);
    this.#cancelTimer = environment.setTimer(this.#leftMs(), () => {
      this.#give(this.#failure('timeout', `${member} did not answer in time`));
    });
  }

  request(connection: Connection, id: number): Request {
    this.#sent = { connection, id };
    return attemptOf(this.#request, id, this.#leftMs());
  }

  response(response: Response): void {
    if (response.type === 'ok' || response.type === 'status') {
      this.#end();
      this.#resolve(response);
    } else if (response.type === 'error') {
      const { code, message, outcome, leader } = response;
      this.#end();
      this.#reject(errorFromWire(code, `${this.#member}: ${message}`, outcome, leader));
    }
  }

  lost(reason: string): void {
    this.#end();
    this.#reject(this.#failure('connection-lost', `${this.#member} is not reached: ${reason}`));
  }

  readonly #abort = (): void => {
    const { signal } = this.#patience;
    if (signal !== undefined) this.#give(abortError(signal, 'the call'));
  };

  /** Nobody waits for the answer any more. */
  #give(error: HoldfastError): void {
    this.#sent?.connection.forget(this.#sent.id);
    this.#end();
    this.#reject(error);
  }

  #failure(code: 'timeout' | 'connection-lost', message: string): HoldfastError {
    const hasEffect = this.#request.type === 'maintain' && this.#sent !== undefined;
    return new HoldfastError(code, message, { outcome: hasEffect ? 'unknown' : 'not-applied' });
  }

  #leftMs(): number {
    return Math.max(1, this.#patience.deadlineMs - this.#environment.now());
  }

  #end(): void {
    this.over = true;
    this.#cancelTimer();
    this.#patience.signal?.removeEventListener('abort', this.#abort);
  }
}
