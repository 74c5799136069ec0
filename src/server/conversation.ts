/**
 * The server's end of one client's conversation: every request that comes in gets exactly one final
 * response, whoever is slow, gone or stopping in between.
 */
import { HoldfastError, IdTable, unreachable, type Outcome } from '../base/index.ts';
import type { Answer, CallOptions, MembershipChange, NodeId, RaftNode } from '../node/index.ts';
import {
  checkRequest,
  type BackupOrigin,
  type MaintainAction,
  type Request,
  type Response,
  type StatusReport,
} from '../protocol/index.ts';
import { encodeQuery, isTreeQuery, mayComeFromClient } from '../registry/index.ts';
import type { Backup, Backups, BackupTarget } from './backups.ts';
import { eventFilter } from './event-filter.ts';
import type { GrantWait, Grants } from './grants.ts';
import type { ServiceLimits } from './limits.ts';
import type { WatchHub } from './watch-hub.ts';
import type { Watcher, WatchTarget } from './watcher.ts';

/** What an operator asks of this very node; see `MaintainAction`. */
export type Maintain = (action: MaintainAction, options: CallOptions) => Promise<void>;

/** What all conversations of a node share. */
export interface ConversationContext {
  readonly node: RaftNode;
  readonly hub: WatchHub;
  readonly grants: Grants;
  readonly backups: Backups;
  readonly limits: ServiceLimits;
  /** Reads the state machine. */
  query(request: Uint8Array): Uint8Array;
  statusReport(): StatusReport;
  readonly maintain: Maintain;
  /** Why clients are refused, if they are. */
  quarantined(): string | undefined;
  backupOrigin(): BackupOrigin;
  /** Address of the leader as far as known, or ''. */
  leaderAddress(): string;
}

/** Where responses leave. */
export interface Outlet extends WatchTarget {
  /** Ends the conversation because of what the client did; the client is told when possible. */
  abandon(reason: string): void;
}

/** One client, as the service that owns its conversation sees it. */
export interface ClientEnd {
  readonly conversation: Conversation;
  /** Sends a response that answers no request. */
  notify(response: Response): void;
  /** Answers everything still open, then ends the conversation. */
  finish(reason: string): void;
}

/** A request without its final response. What it has is nothing until it is open. */
type OpenRequest =
  /** `outcome`: what is known of its effect when nobody waits for it any more. */
  | { readonly type: 'call'; readonly outcome: Outcome }
  | { readonly type: 'watch'; watcher: Watcher | undefined }
  | { readonly type: 'grant'; wait: GrantWait | undefined }
  | { readonly type: 'backup'; backup: Backup | undefined };

type RequestOf<Type extends Request['type']> = Extract<Request, { type: Type }>;

export class Conversation implements WatchTarget {
  readonly #context: ConversationContext;
  readonly #outlet: Outlet;
  readonly #open = new IdTable<OpenRequest>();
  /** Work handed to the node that has not come back, even if its request was cancelled. */
  #inFlight = 0;
  #watches = 0;
  #state: 'open' | 'stopping' | 'closed' = 'open';

  constructor(context: ConversationContext, outlet: Outlet) {
    this.#context = context;
    this.#outlet = outlet;
  }

  get writable(): boolean {
    return this.#outlet.writable;
  }

  handle(request: Request): void {
    if (this.#state === 'closed') return;
    if (request.type === 'cancel') return this.#cancel(request.id);
    if (request.type === 'watchCredit') return this.#credit(request.id, request.bytes);
    if (request.type === 'watchProgress') return this.#markAt(request.id, request.revision);
    if (this.#open.has(request.id)) {
      return this.#outlet.abandon(`request id ${request.id} is in use already`);
    }
    const open = openRequest(request);
    if (isWatch(open)) this.#watches++;
    this.#open.set(request.id, open);
    const refusal = this.#refusal(request, open);
    if (refusal === undefined) this.#start(request, open);
    else this.#fail(request.id, refusal);
  }

  /** A response of a watch, or a final one; the hub calls it too. */
  send(response: Response): void {
    if (response.type === 'watchEnded') this.#settle(response.id);
    this.#outlet.send(response);
  }

  /** The outlet took what was waiting: watches and backups may go on. */
  wake(): void {
    const { hub, backups } = this.#context;
    for (const [id, open] of this.#open.entries()) {
      if (!this.#open.has(id)) continue;
      if (open.type === 'watch' && open.watcher !== undefined) hub.wake(open.watcher);
      if (open.type === 'backup' && open.backup !== undefined) backups.wake(open.backup);
    }
  }

  /** New requests are answered `stopped`; those under way still get their answer. */
  stopAccepting(): void {
    if (this.#state === 'open') this.#state = 'stopping';
  }

  /** Answers whatever is still open; the node is gone. */
  stop(): void {
    for (const [id, open] of this.#open.entries()) {
      // What is said to the client may show that it is gone.
      if (!this.#open.has(id)) continue;
      if (open.type === 'watch' && open.watcher !== undefined) {
        this.#context.hub.close(open.watcher);
      } else {
        this.#drop(open);
        const outcome = open.type === 'call' ? open.outcome : 'not-applied';
        const message = 'the node stopped before it had an answer';
        this.#fail(id, new HoldfastError('stopped', message, { outcome }));
      }
    }
    this.close();
  }

  /** The client is gone: nobody is answered any more. */
  close(): void {
    this.#state = 'closed';
    for (const [, open] of this.#open.entries()) {
      if (open.type === 'watch' && open.watcher !== undefined) {
        this.#context.hub.drop(open.watcher);
      }
      this.#drop(open);
    }
    this.#open.clear();
  }

  #refusal(request: Request, open: OpenRequest): HoldfastError | undefined {
    const { limits } = this.#context;
    if (this.#state === 'stopping') {
      return new HoldfastError('stopped', 'this node is stopping; ask another one');
    }
    const why = this.#context.quarantined();
    if (why !== undefined && refusedInQuarantine(request)) {
      return new HoldfastError('quarantined', `${why}; ask another one`);
    }
    if (isWatch(open) && this.#watches > limits.maxWatchesPerClient) {
      return overloaded(`${limits.maxWatchesPerClient} watches`);
    }
    if (this.#inFlight >= limits.maxRequestsInFlight) {
      return overloaded(`${limits.maxRequestsInFlight} requests in flight`);
    }
    if (request.type === 'propose') {
      const { command } = request;
      return tooLarge('command', command, limits.maxCommandBytes) ?? notForClients(command);
    }
    if (request.type === 'query' || request.type === 'leaderQuery') {
      return tooLarge('query', request.query, limits.maxQueryBytes);
    }
    return checkRequest(request);
  }

  #start(request: Request, open: OpenRequest): void {
    switch (request.type) {
      case 'propose':
        this.#inFlight++;
        this.#context.node.propose(
          request.command,
          (answer) => this.#answered(request.id, open, answer),
          patience(request.timeoutMs),
        );
        return;
      case 'query':
        return this.#query(request, open);
      case 'leaderQuery':
        this.#inFlight++;
        this.#context.node.leaderQuery(
          request.query,
          (answer) => this.#answered(request.id, open, answer),
          patience(request.timeoutMs),
        );
        return;
      case 'watch':
        return this.#watch(request, open);
      case 'awaitGrant':
        return this.#awaitGrant(request, open);
      case 'backup':
        return this.#backup(request, open);
      case 'status':
        return this.#finish({
          type: 'status',
          id: request.id,
          status: this.#context.statusReport(),
        });
      case 'member':
        return this.#await(request.id, open, this.#changeMembership(request));
      case 'transfer': {
        const to = request.to === '' ? undefined : (request.to as NodeId);
        const done = this.#context.node.transfer(to, patience(request.timeoutMs));
        return this.#await(request.id, open, done);
      }
      case 'maintain': {
        const done = this.#context.maintain(request.action, patience(request.timeoutMs));
        return this.#await(request.id, open, done);
      }
      case 'cancel':
      case 'watchCredit':
      case 'watchProgress':
        return;
      default:
        unreachable(request);
    }
  }

  #query(request: RequestOf<'query'>, open: OpenRequest): void {
    this.#inFlight++;
    this.#context.node.readBarrier(
      request.consistency,
      (error) => {
        this.#inFlight--;
        if (this.#open.get(request.id) !== open) return;
        if (error !== undefined) return this.#fail(request.id, error);
        this.#finish({
          type: 'ok',
          id: request.id,
          payload: this.#context.query(request.query),
        });
      },
      patience(request.timeoutMs),
    );
  }

  #watch(request: RequestOf<'watch'>, open: OpenRequest): void {
    if (request.from > 0) return this.#openWatch(request, open);
    this.#inFlight++;
    this.#context.node.readBarrier('linearizable', (error) => {
      this.#inFlight--;
      if (this.#open.get(request.id) !== open) return;
      if (error === undefined) this.#openWatch(request, open);
      else this.#fail(request.id, error);
    });
  }

  #openWatch(request: RequestOf<'watch'>, open: OpenRequest): void {
    const { id, start, end, from } = request;
    const selection = { start, end, filter: eventFilter(request.filter) };
    const watcher = this.#context.hub.open(id, selection, from, this);
    if (this.#open.get(id) !== open) this.#context.hub.drop(watcher);
    else if (open.type === 'watch') open.watcher = watcher;
  }

  #awaitGrant(place: RequestOf<'awaitGrant'>, open: OpenRequest): void {
    const { id } = place;
    const wait: GrantWait = {
      place,
      decided: () => {
        const payload = this.#context.query(encodeQuery({ ...place, type: 'lockPlace' }));
        this.#finish({ type: 'ok', id, payload });
      },
      stopped: (why) => this.#fail(id, new HoldfastError('stopped', `${why}; ask another one`)),
    };
    if (open.type === 'grant') open.wait = wait;
    this.#context.grants.open(wait);
  }

  #backup(request: RequestOf<'backup'>, open: OpenRequest): void {
    this.#inFlight++;
    this.#context.node.readBarrier(
      request.consistency,
      (error) => {
        this.#inFlight--;
        if (this.#open.get(request.id) !== open || open.type !== 'backup') return;
        if (error !== undefined) return this.#fail(request.id, error);
        const { backups } = this.#context;
        const target = this.#backupTarget(request.id);
        open.backup = backups.open(this.#context.backupOrigin(), target);
        // The outlet may have found out meanwhile that the client is gone.
        if (this.#open.get(request.id) !== open) this.#drop(open);
      },
      patience(request.timeoutMs),
    );
  }

  #backupTarget(id: number): BackupTarget {
    const outlet = this.#outlet;
    return {
      get writable(): boolean {
        return outlet.writable;
      },
      started: (origin) => outlet.send({ type: 'backupStarted', id, origin }),
      chunk: (payload) => outlet.send({ type: 'backupChunk', id, payload }),
      finished: (error) => {
        if (error === undefined) this.#finish({ type: 'ok', id, payload: NOTHING });
        else this.#fail(id, error);
      },
    };
  }

  /** Of a backup or a wait that nobody wants any more; nothing of others. */
  #drop(open: OpenRequest): void {
    const { backups, grants } = this.#context;
    if (open.type === 'backup' && open.backup !== undefined) backups.drop(open.backup);
    if (open.type === 'grant' && open.wait !== undefined) grants.drop(open.wait);
  }

  #changeMembership(request: RequestOf<'member'>): Promise<void> {
    const { change } = request;
    const id = change.id as NodeId;
    const named: MembershipChange =
      change.type === 'add' ? { ...change, id } : { type: change.type, id };
    return this.#context.node.changeMembership(named, patience(request.timeoutMs));
  }

  #await(id: number, open: OpenRequest, done: Promise<void>): void {
    this.#inFlight++;
    done.then(
      () => this.#answered(id, open, { type: 'ok', payload: NOTHING }),
      (error: unknown) => this.#answered(id, open, { type: 'error', error: asHoldfast(error) }),
    );
  }

  #answered(id: number, open: OpenRequest, answer: Answer): void {
    this.#inFlight--;
    // Cancelled, and perhaps the id is another request's by now.
    if (this.#open.get(id) !== open) return;
    if (answer.type === 'ok') this.#finish({ type: 'ok', id, payload: answer.payload });
    else this.#fail(id, answer.error);
  }

  #cancel(id: number): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    if (open.type === 'watch' && open.watcher !== undefined) {
      this.#context.hub.close(open.watcher);
      return;
    }
    this.#drop(open);
    const outcome = open.type === 'call' ? open.outcome : 'not-applied';
    this.#fail(id, new HoldfastError('aborted', 'cancelled by the client', { outcome }));
  }

  #credit(id: number, bytes: number): void {
    const open = this.#open.get(id);
    const { hub, backups } = this.#context;
    if (open?.type === 'watch' && open.watcher !== undefined) hub.credit(open.watcher, bytes);
    if (open?.type === 'backup' && open.backup !== undefined) backups.credit(open.backup, bytes);
  }

  #markAt(id: number, revision: number): void {
    const open = this.#open.get(id);
    if (open?.type !== 'watch' || open.watcher === undefined) return;
    this.#context.hub.markAt(open.watcher, revision);
  }

  #fail(id: number, error: HoldfastError): void {
    const { code, message, outcome } = error;
    const leader = this.#context.leaderAddress();
    this.#finish({ type: 'error', id, code, message, outcome, leader });
  }

  #finish(response: Response): void {
    this.#settle(response.id);
    this.#outlet.send(response);
  }

  #settle(id: number): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    if (isWatch(open)) this.#watches--;
    this.#open.delete(id);
  }
}

const NOTHING = new Uint8Array(0);

function openRequest(request: Request): OpenRequest {
  switch (request.type) {
    case 'watch':
      return { type: 'watch', watcher: undefined };
    case 'awaitGrant':
      return { type: 'grant', wait: undefined };
    case 'backup':
      return { type: 'backup', backup: undefined };
    case 'query':
    case 'status':
      return { type: 'call', outcome: 'not-applied' };
    case 'propose':
    case 'leaderQuery':
    case 'member':
    case 'transfer':
    case 'maintain':
    case 'cancel':
    case 'watchCredit':
    case 'watchProgress':
      return { type: 'call', outcome: 'unknown' };
    default:
      return unreachable(request);
  }
}

function isWatch(open: OpenRequest): boolean {
  return open.type === 'watch' || open.type === 'grant';
}

const REFUSED_IN_QUARANTINE: ReadonlySet<Request['type']> = new Set([
  'propose',
  'watch',
  'awaitGrant',
  'backup',
]);

/**
 * Reads, writes and watches go elsewhere. What is forwarded to the leader and answered from there
 * stays: sessions are kept alive, and operators can go on. So does what tells this replica's data
 * from the others'.
 */
function refusedInQuarantine(request: Request): boolean {
  if (request.type === 'query') return !isTreeQuery(request.query);
  return REFUSED_IN_QUARANTINE.has(request.type);
}

/** 0 leaves it to the node's own patience. */
function patience(timeoutMs: number): CallOptions {
  return timeoutMs === 0 ? {} : { timeoutMs };
}

function overloaded(limit: string): HoldfastError {
  return new HoldfastError('overloaded', `this client has ${limit} already, the limit; wait`);
}

function tooLarge(what: string, bytes: Uint8Array, limit: number): HoldfastError | undefined {
  if (bytes.length <= limit) return undefined;
  const message = `${what} of ${bytes.length} bytes; the limit is ${limit} bytes`;
  return new HoldfastError('too-large', message);
}

function notForClients(command: Uint8Array): HoldfastError | undefined {
  if (mayComeFromClient(command)) return undefined;
  const message = 'this is no command a client can give: it is unreadable, or the leader makes it';
  return new HoldfastError('invalid-command', message);
}

/** An error of unknown making as the one type clients are told. */
function asHoldfast(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HoldfastError('internal', message, { outcome: 'unknown', cause: error });
}
