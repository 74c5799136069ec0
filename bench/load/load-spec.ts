/** What a client process is asked to do, and what it answers. */
import type { LoadResult } from './closed-loop.ts';

export type Operation =
  | 'put'
  | 'get'
  | 'lease-get'
  | 'local-get'
  /** One put and nine linearizable gets. */
  | 'mixed'
  /** If a key is there: put two, read one. */
  | 'transaction'
  /** Lock and unlock, everybody a name of their own. */
  | 'lock'
  /** Lock and unlock, everybody the same name, each with a session of its own. */
  | 'contended-lock'
  | 'keep-alive';

export interface LoadSpec {
  readonly operation: Operation;
  readonly endpoints: readonly string[];
  /** `any`: clients are spread over the endpoints and stay there, whoever leads. */
  readonly route: 'leader' | 'any';
  readonly inFlight: number;
  readonly connections: number;
  /** Open sessions, for keep-alives; as many as calls in flight by default. */
  readonly sessions?: number;
  readonly valueBytes: number;
  /** How many different ones calls use; `KEYS` by default. */
  readonly keys?: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** To the client process. */
export type LoadRequest =
  | { readonly type: 'load'; readonly spec: LoadSpec }
  /** Puts that many keys. */
  | { readonly type: 'fill'; readonly endpoints: readonly string[]; readonly keys: number };

/** From the client process. */
export type LoadReply =
  /** The warm-up is over, and later the measured time: what it cost is read then. */
  | { readonly type: 'begun' }
  | { readonly type: 'over' }
  /** Nothing of the load is left. */
  | { readonly type: 'result'; readonly result: LoadResult; readonly figures: LoadFigures }
  | { readonly type: 'filled' }
  | { readonly type: 'failed'; readonly message: string };

/** What only some operations have; latencies in ms. */
export interface LoadFigures {
  /** From a release to the next grant. */
  readonly handOverP50Ms?: number;
  readonly handOverP99Ms?: number;
}

/** Distinct keys that calls use unless told otherwise. */
export const KEYS = 10_000;
/** Coprime to any number of keys here: neighbours in time are none in order. */
const STRIDE = 7919;

/** The key of a call, of so many. */
export function keyOf(sequence: number, keys: number): string {
  return keyAt((sequence * STRIDE) % keys);
}

export function keyAt(number: number): string {
  return `bench/${String(number).padStart(8, '0')}`;
}

/** As the issue of a fair comparison has it: ten connections share what is in flight. */
export function connectionsFor(inFlight: number): number {
  return Math.min(inFlight, 10);
}
