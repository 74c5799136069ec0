/** What nobody was told at the end of a run, when all was healed and nothing stood in its way. */
import { PASSING } from '../../src/client/error-response.ts';
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import type { Violations } from './violations.ts';

function isUnanswered({ type, error = '' }: Operation): boolean {
  return type === 'info' || (type === 'fail' && PASSING.has(error));
}

/** With all healed every call is answered: of those from `from` on in the history. */
export function checkAnswered(
  history: readonly Operation[],
  from: number,
  violations: Pick<Violations, 'report'>,
): void {
  const at = history.findIndex((one, i) => i >= from && isUnanswered(one));
  if (at < 0) return;
  const text = `all is healed, but ${describeOperation(history[at]!)} failed`;
  violations.report('liveness', text, [], [at]);
}
