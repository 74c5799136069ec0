/** Exit codes, and how an outcome becomes one. */
import { ExitError } from '../../src/cli/exit.ts';
import type { Outcome } from '../simulation/run-record.ts';

/** What a script may rely on. */
export const EXIT = {
  passed: 0,
  /** A promise was broken. */
  violation: 1,
  /** The command line, or a file it names, is wrong. */
  usage: 2,
  /** Neither could be shown: a search gave up, a run broke off. */
  unknown: 3,
} as const;

/** Ends the command with the code of its outcome; what there is to say has been said. */
export function endWith(outcome: Outcome): void {
  if (outcome !== 'passed') throw new ExitError(EXIT[outcome]);
}

/** What was thrown that is no outcome says nothing of the promises. */
export function codeOfError(error: unknown): number {
  return error instanceof ExitError ? error.exitCode : EXIT.unknown;
}
