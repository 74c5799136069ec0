/** Exit codes, and how an error becomes one line on stderr, for people or for scripts. */
import { HoldfastError } from '../base/index.ts';
import type { ErrorCode } from '../base/index.ts';

/** What a script may rely on. */
export const EXIT = {
  ok: 0,
  /** The cluster or the state said no: locked, not found, no quorum. */
  refused: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The write may have happened, or may still. */
  unknown: 3,
} as const;

/** Ends the command with this exit code; `message`, when there is one, goes to stderr. */
export class ExitError extends Error {
  readonly exitCode: number;
  /** Names the reason for scripts, as the codes of `HoldfastError` do; '' where nothing does. */
  readonly code: string;
  constructor(exitCode: number, message = '', code = '') {
    super(message);
    this.name = 'ExitError';
    this.exitCode = exitCode;
    this.code = code;
  }
}

/** A mistake on the command line. */
export function usageError(message: string): ExitError {
  return new ExitError(EXIT.usage, message, USAGE);
}

/** The cluster or the state said no. */
export function refused(code: string, message: string): ExitError {
  return new ExitError(EXIT.refused, message, code);
}

/** The code of mistakes on the command line; people see the rule alone. */
const USAGE = 'usage';

const USAGE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid-argument',
  'invalid-key',
  'too-large',
]);

/** What to do next, where the message alone does not say. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  'no-quorum': 'start the missing nodes; `holdfast status` shows who is reachable',
  'no-leader': 'wait for the election, or check `holdfast status`',
  'connection-lost': 'check --endpoints and that the nodes run',
  'wrong-certificate': 'give --tls-ca, and --tls-cert with --tls-key if the cluster wants them',
  locked: 'wait with `holdfast lock NAME --wait 10s`, or act as the holder with --session',
  'lock-conflict': 'see `holdfast locks` for how the name is in use',
  'no-such-table': 'open it with `holdfast table open`',
  'no-such-map': 'see `holdfast map list`, or create it with `holdfast map create`',
  'not-held': 'give the session and token that `holdfast lock` printed',
  'session-expired': '`holdfast session list` shows those that are open',
  'data-in-use': 'or give this node a directory of its own with --data',
  'address-in-use': 'stop what listens there, or choose another port',
  overloaded: 'send less at a time, then retry',
};

export function exitCodeOf(error: unknown): number {
  if (error instanceof ExitError) return error.exitCode;
  if (error instanceof HoldfastError) {
    if (error.outcome === 'unknown') return EXIT.unknown;
    return USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.refused;
  }
  return EXIT.refused;
}

/**
 * What `-w json` prints of an error, as one line on stderr; undefined when there is nothing to say.
 */
export function errorJson(error: unknown, exitCode: number): string | undefined {
  if (error instanceof HoldfastError) {
    const { code, message, outcome, issues } = error;
    const advice = ADVICE[code];
    return JSON.stringify({ error: { code, message, outcome, exitCode, advice, issues } });
  }
  const message = errorText(error);
  if (message === '') return undefined;
  const code = error instanceof ExitError ? error.code : '';
  return JSON.stringify({ error: { code: code === '' ? 'failed' : code, message, exitCode } });
}

/** A mistake that the parser of the command line found. */
export function usageJson(message: string): string {
  return JSON.stringify({ error: { code: USAGE, message, exitCode: EXIT.usage } });
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One line that says what was wrong and what to do; '' when there is nothing to say. */
export function errorLine(error: unknown): string {
  if (error instanceof ExitError) {
    const named = error.code !== '' && error.code !== USAGE;
    return named ? `${error.code}: ${error.message}` : error.message;
  }
  if (!(error instanceof HoldfastError)) return errorText(error);
  const parts = [`${error.code}: ${error.message}`];
  if (error.outcome === 'unknown') {
    parts.push('the write may or may not have happened: read before you repeat it');
  }
  const advice = ADVICE[error.code];
  if (advice !== undefined && !error.message.includes(advice)) parts.push(advice);
  return parts.map((part) => part.replace(/[\s.]+$/, '').replaceAll('\n', ' ')).join('; ');
}
