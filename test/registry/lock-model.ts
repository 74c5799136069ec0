/** Who holds a lock, from first principles, and what the value of a queue key looks like. */
import type { LockHolder, LockTerms } from '../../src/registry/index.ts';

export interface ModelPlace extends LockHolder {
  readonly terms: LockTerms;
}

/**
 * Whether the last of a line holds: one alone; readers among readers; or, of a semaphore, when
 * there are permits for all of them. Nobody overtakes, so the whole line before it counts.
 */
export function mayHold(line: readonly Pick<ModelPlace, 'terms'>[]): boolean {
  if (line.length === 1 || line.every(({ terms }) => terms.mode === 'shared')) return true;
  const permits = line.reduce((sum, { terms }) => sum + terms.permits, 0);
  return line.every(({ terms }) => terms.mode === 'semaphore' && permits <= terms.limit);
}

export function holderOf({ session, token }: ModelPlace): LockHolder {
  return { session, token };
}

const MODES = ['exclusive', 'shared', 'semaphore'] as const;

/** Of small numbers: mode, permits, limit, then the delay by 7 bits, the lowest first. */
export function valueOf(terms: LockTerms, metadata: Uint8Array): Uint8Array {
  const { mode, permits, limit, delayMs } = terms;
  const delay = delayMs < 128 ? [delayMs] : [(delayMs % 128) + 128, Math.floor(delayMs / 128)];
  return new Uint8Array([MODES.indexOf(mode), permits, limit, ...delay, ...metadata]);
}

export function termsOf(value: Uint8Array): LockTerms {
  const [mode, permits, limit, low, high] = [...value];
  const delayMs = low! < 128 ? low! : low! - 128 + high! * 128;
  return { mode: MODES[mode!]!, permits: permits!, limit: limit!, delayMs };
}
