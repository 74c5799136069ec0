/** What a checker says of a history. */
import { optionNames, refuseUnknownOptions } from '../../src/base/index.ts';
import type { Operation } from '../history/operation.ts';

export type Verdict =
  /** `checked`: what was compared how often, so that an empty history does not look like proof. */
  | {
      readonly type: 'ok';
      readonly how: string;
      readonly checked: Readonly<Record<string, number>>;
    }
  /** The contradiction in one sentence, and the operations it is about, in order of their calls. */
  | {
      readonly type: 'illegal';
      readonly message: string;
      readonly operations: readonly Operation[];
    }
  /**
   * Neither could be shown, and why: a time limit, a history without what the checker needs.
   * `provesNothing`: that needs nothing but a history that tells more.
   */
  | { readonly type: 'unknown'; readonly why: string; readonly provesNothing?: true };

/** Of a history that breaks no rule, and could not have, as it holds nothing that tells. */
export function provesNothing(takes: string): Verdict {
  const why = `nothing in the history could have shown a violation: that takes ${takes}`;
  return { type: 'unknown', why, provesNothing: true };
}

export interface CheckOptions {
  /** How long a search may take, in ms, before it gives up with `unknown`. */
  readonly timeLimitMs?: number;
  /** A monotonic clock in ms; `performance.now` when absent. */
  readonly now?: () => number;
  /**
   * How far clocks may have been apart, in ms: what two clients believe at once for no longer than
   * this is not held against the registry. 0 by default.
   */
  readonly skewMs?: number;
  /**
   * By what share of a time clocks may have run apart: by so much of its TTL a session may end
   * early, as its holder sees it. 0 by default.
   */
  readonly driftShare?: number;
  /**
   * How much later than its TTL what a dead client held may be free, in ms: an election, and the
   * way of the messages. 10 s by default. It counts only once the history says `healed`.
   */
  readonly marginMs?: number;
}

const CHECK_NAMES = optionNames<CheckOptions>({
  timeLimitMs: true,
  now: true,
  skewMs: true,
  driftShare: true,
  marginMs: true,
});

/** @throws HoldfastError `invalid-argument` for an option that there is not */
export function knownCheckOptions(options: CheckOptions): void {
  refuseUnknownOptions('check', options, CHECK_NAMES);
}

export interface Checker {
  /** As `--model` takes it. */
  readonly name: string;
  /** Which promise it checks, in one sentence. */
  readonly promise: string;
  check(history: readonly Operation[], options?: CheckOptions): Verdict;
  /** Where the promise is an order: the one that was found, to be looked at. */
  orders?(history: readonly Operation[], options?: CheckOptions): readonly PartOrder[];
}

/** How the operations of one part of a history can have followed each other. */
export interface PartOrder {
  /** The part's name: a key, or '' of the whole history. */
  readonly part: string;
  /** The operations that have a place, in their order; all that must have one of a `whole`. */
  readonly order: readonly Operation[];
  /** `stuck`: no order goes further; `gaveUp`: nobody knows. */
  readonly end: 'whole' | 'stuck' | 'gaveUp';
  /** What has no place behind `order`. */
  readonly stuck?: Operation;
}
