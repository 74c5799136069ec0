/** Histories written by hand, in ms. */
import assert from 'node:assert/strict';
import type { CheckOptions, Checker, Verdict } from '../../../jepsen-lite/checkers/verdict.ts';
import type { Operation } from '../../../jepsen-lite/history/operation.ts';

type Rest = Partial<Omit<Operation, 'process' | 'f' | 'call' | 'return'>>;

const NS_PER_MS = 1e6;

/** An operation that returned. */
export function done(
  process: number,
  f: string,
  [call, end]: readonly [number, number],
  rest: Rest = {},
): Operation {
  const timing = { call: call * NS_PER_MS, return: end * NS_PER_MS };
  return { process, f, type: 'ok', output: null, ...rest, ...timing };
}

/** An operation that nobody knows the outcome of. */
export function open(process: number, f: string, call: number, rest: Rest = {}): Operation {
  return { process, f, output: null, ...rest, call: call * NS_PER_MS, return: null, type: 'info' };
}

/** Something seen. */
export function seen(process: number, f: string, when: number, rest: Rest = {}): Operation {
  return done(process, f, [when, when], rest);
}

/**
 * The checker finds exactly this, and shows operations; also when other things, which are as they
 * should be, came before, and in whatever order the file has them.
 */
export function assertIllegal(
  checker: Checker,
  history: readonly Operation[],
  message: string,
  options?: CheckOptions,
  before: readonly Operation[] = [],
): void {
  for (const whole of before.length === 0 ? [history] : [history, [...before, ...history]]) {
    const verdict = checker.check(whole, options);
    assert.equal(verdict.type === 'illegal' ? verdict.message : JSON.stringify(verdict), message);
    assert.ok(verdict.type === 'illegal' && verdict.operations.length > 0);
    assert.equal(checker.check(whole.toReversed(), options).type, 'illegal');
  }
}

/** `ok`, of a history too short to prove anything, too. */
export function typeOf(verdict: Verdict): Verdict['type'] {
  return verdict.type === 'unknown' && verdict.provesNothing === true ? 'ok' : verdict.type;
}

/** No violation; whether there is proof is not asked. */
export function assertFine(checker: Checker, history: readonly Operation[]): void {
  for (const inSomeOrder of [history, history.toReversed()]) {
    const verdict = checker.check(inSomeOrder);
    assert.equal(typeOf(verdict), 'ok', JSON.stringify(verdict));
  }
}

export function assertOk(
  checker: Checker,
  history: readonly Operation[],
  options?: CheckOptions,
): void {
  for (const inSomeOrder of [history, history.toReversed()]) {
    const verdict = checker.check(inSomeOrder, options);
    assert.equal(verdict.type, 'ok', JSON.stringify(verdict));
  }
}
