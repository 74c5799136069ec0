/**
 * Verdicts on small random histories against every order there is. `HOLDFAST_HISTORIES` sets how
 * many: 100000 for a soak.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bank } from '../../jepsen-lite/checkers/bank.ts';
import { lock } from '../../jepsen-lite/checkers/lock.ts';
import { register } from '../../jepsen-lite/checkers/register.ts';
import type { Checker, Verdict } from '../../jepsen-lite/checkers/verdict.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import { hasOrder, isOrder, type SlowObject } from './support/all-orders.ts';
import { typeOf } from './support/operations.ts';
import { oneOf, randomOf, smallHistory, type Random } from './support/small-histories.ts';
import {
  accounts,
  openingOfAccounts,
  registers,
  tallies,
  type SmallObject,
} from './support/small-objects.ts';

const HISTORIES = Number(process.env.HOLDFAST_HISTORIES ?? 2_000);

interface Met {
  ok: number;
  illegal: number;
  unknown: number;
}

/** Each of so many histories is judged; what is met must be enough of both kinds. */
function forEachHistory(judge: (random: Random) => Verdict['type']): void {
  const met: Met = { ok: 0, illegal: 0, unknown: 0 };
  for (let seed = 1; seed <= HISTORIES; seed++) {
    try {
      met[judge(randomOf(seed))]++;
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  assert.ok(met.ok > HISTORIES / 8 && met.illegal > HISTORIES / 8, JSON.stringify(met));
}

function told(history: readonly Operation[]): string {
  return history.map((one) => JSON.stringify(one)).join('\n');
}

function withoutRevision(operation: Operation): Operation {
  const { revision: _, ...rest } = operation;
  return rest;
}

function tells({ type, output }: Operation): boolean {
  return type === 'ok' && output !== false;
}

/** As it may come from some other program, whose revisions mean something else. */
function misdated(random: Random, history: readonly Operation[]): Operation[] {
  return history.map((one) => (random() < 0.3 ? withoutRevision(one) : redated(random, one)));
}

function redated(random: Random, operation: Operation): Operation {
  return { ...operation, revision: Math.floor(random() * 5) };
}

/** The checker's orders explain their parts; what it calls stuck is the longest beginning. */
function assertOrdersHold(
  checker: Checker,
  slow: SlowObject<string>,
  history: readonly Operation[],
): void {
  for (const { part, order, end } of checker.orders!(history)) {
    const own = history.filter(({ key }) => (key ?? '') === part);
    assert.equal(end === 'whole', hasOrder(slow, own), `${part}: ${end}`);
    if (end === 'whole') assert.ok(isOrder(slow, own, order), told(order));
  }
}

function judgedAsAllOrdersDo(random: Random, object: SmallObject): Verdict['type'] {
  const { history, isSound } = smallHistory(random, object);
  if (!history.some(({ type }) => type === 'ok')) return 'unknown';
  const expected = hasOrder(object.slow, history) ? 'ok' : 'illegal';
  assert.ok(!isSound || expected === 'ok', told(history));
  const verdict = register.check(history);
  assert.equal(typeOf(verdict), expected, told(history));
  if (isSound && verdict.type !== 'unknown')
    assert.equal(verdict.type === 'ok' && verdict.how, 'witness', told(history));
  assert.equal(typeOf(register.check(history.map(withoutRevision))), expected, told(history));
  const lied = misdated(random, history);
  assert.equal(typeOf(register.check(lied)), expected, told(lied));
  assertOrdersHold(register, object.slow, oneOf(random, [history, lied]));
  return expected;
}

test('[CHECK-27] registers: search and witness judge as all orders do', () => {
  forEachHistory((random) => judgedAsAllOrdersDo(random, registers));
});

test('[CHECK-27] many unknown outcomes of calls that are alike are judged as all orders do', () => {
  forEachHistory((random) => judgedAsAllOrdersDo(random, tallies));
});

test('[CHECK-27] accounts: search and witness judge as all orders do', () => {
  forEachHistory((random) => {
    const { history, isSound } = smallHistory(random, accounts);
    if (!history.some(tells)) return 'unknown';
    const expected = hasOrder(accounts.slow, history) ? 'ok' : 'illegal';
    assert.ok(!isSound || expected === 'ok', told(history));
    const opened = [openingOfAccounts, ...history];
    const undated = opened.map(withoutRevision);
    assert.equal(typeOf(bank.check(undated)), expected, told(history));
    // Revisions of reads are believed here: none of a state contradicts them when they are right.
    if (isSound) assert.equal(typeOf(bank.check(opened)), 'ok', told(history));
    else if (expected === 'illegal') assert.equal(bank.check(opened).type, 'illegal');
    return expected;
  });
});

/** Who holds; '' for nobody. */
const slowMutex: SlowObject<string> = {
  initial: '',
  step(holder, { f, process }) {
    const own = String(process % 3);
    if (f === 'lock') return holder === '' ? own : undefined;
    return holder === own ? '' : undefined;
  },
};

test('[CHECK-27] locks without tokens are judged as all orders judge them', () => {
  forEachHistory((random) => {
    const clocks = [0, 0, 0];
    const count = 2 + Math.floor(random() * 6);
    const history = Array.from({ length: count }, (_, i): Operation => {
      const process = Math.floor(random() * 3);
      const f = i % 2 === 0 || random() < 0.2 ? 'lock' : 'unlock';
      const call = clocks[process]! + Math.floor(random() * 3);
      const end = call + Math.floor(random() * 6);
      clocks[process] = end;
      const type = oneOf(random, ['ok', 'ok', 'ok', 'ok', 'fail', 'info'] as const);
      const timing = { call, return: type === 'info' ? null : end, type };
      return { process, f, key: 'l', ...timing, output: null };
    });
    if (!history.some(({ type }) => type === 'ok')) return 'unknown';
    const expected = hasOrder(slowMutex, history) ? 'ok' : 'illegal';
    assert.equal(typeOf(lock.check(history)), expected, told(history));
    return expected;
  });
});
