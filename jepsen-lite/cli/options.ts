/** What the commands read from their options. */
import type { Command } from 'commander';
import { nearestName } from '../../src/base/index.ts';
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
  const meant = nearestName(text, Object.keys(known));
  const hint = meant === undefined ? '' : ` (did you mean '${meant}'?)`;
  throw usageError(`${option} takes one of ${names}, not '${text}'${hint}`);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  EACCES: 'that is not allowed',
  EPERM: 'that is not allowed',
  ENOSPC: 'the disk is full',
};

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? error.message;
}

/** What the system says of a file that cannot be read or written. */
export function fileError(what: string, path: string, error: unknown): Error {
  const reason = reasonOf(error);
  return usageError(`cannot ${what} '${path}': ${reason}`);
}
