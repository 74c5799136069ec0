/** Small histories by the thousand: of an object that works, and what a broken one would answer. */
import type { Operation, OperationType } from '../../../jepsen-lite/history/operation.ts';

/** At least 0, below 1. */
export type Random = () => number;

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)]!;
}

export interface Plan {
  readonly f: string;
  readonly key?: string;
  readonly value?: unknown;
}

export interface SmallHistoryOptions {
  /** Operations, at most. */
  readonly most: number;
  readonly plan: (random: Random) => Plan;
  /** An object that does one thing after another; each call carries one out and answers. */
  readonly object: () => (plan: Plan) => unknown;
  /** What a broken one may answer. */
  readonly wrong: (random: Random, operation: Operation) => unknown;
  /** Whether it makes a revision, with this answer. */
  readonly isWrite: (plan: Plan, answer: unknown) => boolean;
  /** What becomes of calls, one as often as another; mostly they are answered when absent. */
  readonly types?: readonly OperationType[];
}

export interface SmallHistory {
  readonly history: readonly Operation[];
  /** No answer was changed, so it has an order: that of its revisions. */
  readonly isSound: boolean;
}

interface Planned {
  readonly plan: Plan;
  readonly timing: Pick<Operation, 'call' | 'return' | 'type'>;
  readonly effect: number;
  readonly happens: boolean;
}

const LATEST_CALL = 10;
const LONGEST = 7;
const TYPES: readonly OperationType[] = ['ok', 'ok', 'ok', 'ok', 'info', 'info', 'fail'];

/**
 * Each operation takes effect at a moment of its own; then, in half of them, an answer or two is
 * changed. Times are whole and few, so that many touch. All that took effect has its revision.
 */
export function smallHistory(random: Random, options: SmallHistoryOptions): SmallHistory {
  const count = 1 + Math.floor(random() * options.most);
  const all = Array.from({ length: count }, () => planned(random, options));
  all.sort((a, b) => a.effect - b.effect);
  const carryOut = options.object();
  const lastWrite = new Map<string, number>();
  let made = 0;
  const history = all.map(({ plan, timing, happens }, process): Operation => {
    if (!happens) return { process, ...plan, ...timing, output: null };
    const answer = carryOut(plan) ?? null;
    const isWrite = options.isWrite(plan, answer);
    if (isWrite) lastWrite.set(plan.key ?? '', ++made);
    const output = timing.type === 'ok' ? answer : null;
    const operation = { process, ...plan, ...timing, output };
    if (!isWrite && timing.type === 'info') return operation;
    return { ...operation, revision: lastWrite.get(plan.key ?? '') ?? 0 };
  });
  const isSound = random() < 0.5;
  for (let changes = isSound ? 0 : 1 + Math.floor(random() * 2); changes > 0; changes--) {
    const at = Math.floor(random() * history.length);
    const one = history[at]!;
    if (one.type === 'ok') history[at] = { ...one, output: options.wrong(random, one) };
  }
  return { history, isSound };
}

function planned(random: Random, options: SmallHistoryOptions): Planned {
  const call = Math.floor(random() * LATEST_CALL);
  const type = oneOf(random, options.types ?? TYPES);
  const end = call + Math.floor(random() * LONGEST);
  // What nobody heard of may happen long after.
  const latest = type === 'info' ? LATEST_CALL + LONGEST : end;
  const effect = call + random() * (latest - call);
  const happens = type === 'ok' || (type === 'info' && random() < 0.6);
  const timing = { call, return: type === 'info' ? null : end, type };
  return { plan: options.plan(random), timing, effect, happens };
}
