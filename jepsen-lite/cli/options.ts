/** What the commands read from their options. */
import type { Command } from 'commander';
import { usageError } from '../../src/cli/exit.ts';

export type Format = 'simple' | 'json';

/** Of `-w`, which every command takes. */
export function formatOf(command: Command): Format {
  const { writeOut } = command.optsWithGlobals<{ writeOut: string }>();
  if (writeOut === 'simple' || writeOut === 'json') return writeOut;
  throw usageError(`unknown output format '${writeOut}': -w takes simple or json`);
}

/** One of the names, or the error that lists them. */
export function oneOf<T>(option: string, text: string, known: Readonly<Record<string, T>>): T {
  const found = Object.hasOwn(known, text) ? known[text] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(known).join(', ');
  throw usageError(`${option} takes one of ${names}, not '${text}'`);
}

/** What the system says of a file that cannot be read or written. */
export function fileError(what: string, path: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return usageError(`cannot ${what} '${path}': ${reason}`);
}
