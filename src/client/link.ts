/** What the façade needs from whoever carries its requests to the cluster. */
import { unreachable } from '../base/index.ts';
import type { HoldfastError } from '../base/index.ts';
import type { StopSignal } from './waiting.ts';
import type {
  Channel,
  ChannelEvents,
  Consistency,
  MaintainAction,
  Request,
  Response,
} from '../protocol/index.ts';

type MemberChange = Extract<Request, { type: 'member' }>['change'];

/** A request without what is particular to one attempt at it. */
export type LinkRequest =
  | { readonly type: 'propose'; readonly command: Uint8Array }
  | { readonly type: 'query'; readonly consistency: Consistency; readonly query: Uint8Array }
  | { readonly type: 'leaderQuery'; readonly query: Uint8Array }
  | { readonly type: 'status' }
  | { readonly type: 'member'; readonly change: MemberChange }
  | { readonly type: 'transfer'; readonly to: string }
  | { readonly type: 'maintain'; readonly action: MaintainAction };

export interface LinkCall {
  readonly request: LinkRequest;
  /**
   * Doing it twice is no worse than doing it once, so it is sent again when its outcome is unknown.
   * Reads are; writes are when they carry a session and a sequence.
   */
  readonly repeatable: boolean;
  readonly timeoutMs: number;
  readonly signal?: StopSignal | undefined;
}

export interface LinkAnswer {
  readonly response: Extract<Response, { type: 'ok' | 'status' }>;
  /** Monotonic time at which the attempt that was answered left. */
  readonly sentAtMs: number;
  /** An earlier attempt may have been carried out besides this one. */
  readonly doubted: boolean;
}

/** Whom a call's outcome is told: once, one way or the other, perhaps before `begin` returns. */
export interface CallOutcome {
  answered(answer: LinkAnswer): void;
  failed(error: HoldfastError): void;
}

/**
 * One watch, or one wait for a grant. The link places it on a connection, and on the next one when
 * that is lost.
 */
export interface WatchSubscriber {
  request(id: number): Request;
  response(response: Response): void;
  /** Its connection is gone; nothing comes before it is placed anew. */
  detached(): void;
  /** Whether to place it anew at once; when not, `WatchAttachment.resume` asks again. */
  readonly wanted: boolean;
  /** The link is closed: nothing will ever come. */
  ended(error: HoldfastError): void;
}
export interface WatchAttachment {
  credit(bytes: number): void;
  /** Asks for a mark at a revision, where it is placed; to be asked again when it is elsewhere. */
  progress(revision: number): void;
  /** Places it (again) when it is not placed. */
  resume(): void;
  /** Gives up where it is placed, if anywhere, and places it anew. */
  renew(): void;
  close(): void;
}

/**
 * Carries calls to the cluster: finds a node that serves, retries what may be retried until each
 * call's time is up, and tells the outcome when it gives up.
 */
export interface Link {
  call(call: LinkCall): Promise<LinkAnswer>;
  /** The same, without a promise: for what is called often. */
  begin(call: LinkCall, outcome: CallOutcome): void;
  watch(subscriber: WatchSubscriber): WatchAttachment;
  /** The node through which calls go at the moment; '' while there is none. */
  readonly nodeId: string;
  /** Called before anything that arrived is handed on. */
  onArrival(check: () => void): void;
  /** Rejects everything under way. */
  close(): void;
}

const REFUSAL_CODES = [
  'wrong-cluster',
  'wrong-version',
  'wrong-certificate',
  'invalid-argument',
] as const;
/** Why an endpoint does not let us in, when another attempt cannot mend it. */
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** A node's word for a refusal, if it is one that lasts. */
export function refusalCode(code: string): RefusalCode | undefined {
  return REFUSAL_CODES.find((known) => known === code);
}

/** A channel whose other end must be reached first: requests are sent only once it is open. */
export interface EndpointEvents extends ChannelEvents {
  /** `nodeId`: who is at the other end. */
  opened(nodeId: string): void;
  closed(reason: string, code?: RefusalCode): void;
}
/** Begins to connect. `opened` or `closed` is called later, or before it returns. */
export type OpenEndpoint = (address: string, events: EndpointEvents) => Channel;

export function attemptOf(request: LinkRequest, id: number, timeoutMs: number): Request {
  switch (request.type) {
    case 'propose':
      return { type: 'propose', id, timeoutMs, command: request.command };
    case 'query':
      return {
        type: 'query',
        id,
        timeoutMs,
        consistency: request.consistency,
        query: request.query,
      };
    case 'leaderQuery':
      return { type: 'leaderQuery', id, timeoutMs, query: request.query };
    case 'status':
      return { type: 'status', id };
    case 'member':
      return { type: 'member', id, timeoutMs, change: request.change };
    case 'transfer':
      return { type: 'transfer', id, timeoutMs, to: request.to };
    case 'maintain':
      return { type: 'maintain', id, timeoutMs, action: request.action };
    default:
      return unreachable(request);
  }
}
