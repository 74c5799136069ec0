/** What is demanded of the end of a run, when nothing stands in the way of an answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import { checkAnswered } from '../../jepsen-lite/simulation/unanswered.ts';
import { Violations } from '../../jepsen-lite/simulation/violations.ts';

function operation(type: Operation['type'], error?: string): Operation {
  const ended = { type, return: type === 'info' ? null : 9, ...(error !== undefined && { error }) };
  return { process: 1, f: 'unlock', key: 'k', value: null, call: 1, output: null, ...ended };
}

function complaint(history: readonly Operation[], from: number): string | undefined {
  const violations = new Violations(() => 0);
  checkAnswered(history, from, violations);
  return violations.first?.message;
}

test('[REAL-12] whoever is not answered at the end, with all healed, is told of', () => {
  const lost = operation('info', 'timeout');
  const answered = [operation('ok'), operation('fail', 'not-held'), operation('fail', 'locked')];
  assert.equal(complaint([lost, ...answered], 1), undefined, 'what faults lost before is lost');
  assert.match(complaint([...answered, lost], 1) ?? '', /^all is healed, but unlock k .* failed$/);
  const refused = operation('fail', 'no-quorum');
  assert.match(complaint([...answered, refused], 1) ?? '', /no-quorum/);
});
