import type { ClientEnvironment } from './environment.ts';

/**
 * Doubles from `firstMs` to `maxMs` with the number of failures so far, then takes a random half
 * to whole of it, so that those who failed together do not come back together.
 */
export function backoffMs(
  failures: number,
  firstMs: number,
  maxMs: number,
  environment: ClientEnvironment,
): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(failures, 30));
  return ceiling * (0.5 + environment.random() / 2);
}
