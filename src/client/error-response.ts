/** Errors as they come over the wire, made into the one error type of the public API. */
import { HoldfastError, MalformedBytesError, type ErrorCode, type Outcome } from '../base/index.ts';

/** Complete, or it does not compile. */
const KNOWN: Readonly<Record<ErrorCode, true>> = {
  'no-quorum': true,
  'not-leader': true,
  'no-leader': true,
  overloaded: true,
  transferring: true,
  stopped: true,
  timeout: true,
  aborted: true,
  'connection-lost': true,
  'disk-failed': true,
  'disk-full': true,
  locked: true,
  'lock-conflict': true,
  'not-held': true,
  'not-built': true,
  'not-found': true,
  'session-expired': true,
  compacted: true,
  overrun: true,
  'sequence-too-old': true,
  'membership-refused': true,
  quarantined: true,
  'lock-timeout': true,
  'no-such-table': true,
  'no-such-map': true,
  'map-conflict': true,
  'invalid-argument': true,
  'invalid-key': true,
  'invalid-value': true,
  'invalid-command': true,
  'too-large': true,
  'wrong-cluster': true,
  'wrong-version': true,
  'wrong-certificate': true,
  'configuration-mismatch': true,
  'address-in-use': true,
  'data-directory': true,
  'data-in-use': true,
  'corrupt-data': true,
  'wiped-node': true,
  'removed-node': true,
  closed: true,
  internal: true,
};

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(KNOWN, code);
}

/** A code this version does not know becomes `internal`; its name stays in the message. */
function toErrorCode(code: string): ErrorCode {
  return isErrorCode(code) ? code : 'internal';
}

export function errorFromWire(
  code: string,
  message: string,
  outcome: Outcome,
  leader: string,
): HoldfastError {
  const known = toErrorCode(code);
  const text = known === code ? message : `${code}: ${message}`;
  return new HoldfastError(known, text, leader === '' ? { outcome } : { outcome, leader });
}

/** What a node sent, decoded. `outcome`: of what it answers, should that be unreadable. */
export function readAnswer<T>(
  decode: (bytes: Uint8Array) => T,
  payload: Uint8Array,
  outcome: Outcome = 'not-applied',
): T {
  try {
    return decode(payload);
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    const message = `the node's answer cannot be read: ${error.message}; do both run one version?`;
    throw new HoldfastError('wrong-version', message, { outcome, cause: error });
  }
}

/** Refusals for want of a leader that can reach a majority. */
export const LEADERLESS: ReadonlySet<string> = new Set(['no-leader', 'no-quorum', 'not-leader']);

/** Refusals that say nothing about the request: the same one may succeed a moment later. */
export const PASSING: ReadonlySet<string> = new Set([
  ...LEADERLESS,
  'quarantined',
  'transferring',
  'stopped',
  'closed',
  'connection-lost',
  'timeout',
]);
