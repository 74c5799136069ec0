/** Closed-loop load: a fixed number of calls in flight, each followed by the next. */
import { percentiles, type Percentiles } from '../measure/statistics.ts';

export interface LoadOptions {
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Called when the warm-up is over. */
  readonly onBegun?: (() => void) | undefined;
}

export interface LoadResult {
  readonly perSecond: number;
  /** In ms. */
  readonly latency: Percentiles;
  readonly calls: number;
}

/**
 * Runs `call` in a closed loop and measures the calls that ended in the window. Rejects with the
 * first failure, once every worker is done.
 */
export async function closedLoop(
  options: LoadOptions,
  call: (sequence: number, worker: number) => Promise<unknown>,
): Promise<LoadResult> {
  const { inFlight, warmUpMs, measureMs, onBegun } = options;
  const begin = performance.now() + warmUpMs;
  const end = begin + measureMs;
  const samples: number[] = [];
  let sequence = 0;
  const failures: unknown[] = [];
  const worker = async (own: number): Promise<void> => {
    for (let started = performance.now(); started < end && failures.length === 0;) {
      try {
        await call(sequence++, own);
      } catch (error) {
        failures.push(error);
      }
      const now = performance.now();
      if (now >= begin && now <= end) samples.push(now - started);
      started = now;
    }
  };
  const timer = setTimeout(() => onBegun?.(), warmUpMs);
  await Promise.all(Array.from({ length: inFlight }, (_, i) => worker(i)));
  clearTimeout(timer);
  if (failures.length > 0) throw failures[0];
  return {
    perSecond: (samples.length / measureMs) * 1000,
    latency: percentiles(samples),
    calls: samples.length,
  };
}
