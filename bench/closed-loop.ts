/** Closed-loop load: a fixed number of calls in flight, each followed by the next. */
import { percentiles, type Percentiles } from './statistics.ts';

export interface LoadOptions {
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface LoadResult {
  readonly perSecond: number;
  /** In ms. */
  readonly latency: Percentiles;
  readonly calls: number;
}

/** Runs `call` in a closed loop and measures the calls that both began and ended in the window. */
export async function closedLoop(
  options: LoadOptions,
  call: (sequence: number) => Promise<unknown>,
): Promise<LoadResult> {
  const begin = performance.now() + options.warmUpMs;
  const end = begin + options.measureMs;
  const samples: number[] = [];
  let sequence = 0;
  const worker = async (): Promise<void> => {
    for (let started = performance.now(); started < end;) {
      await call(sequence++);
      const now = performance.now();
      if (started >= begin && now <= end) samples.push(now - started);
      started = now;
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, worker));
  return {
    perSecond: (samples.length / options.measureMs) * 1000,
    latency: percentiles(samples),
    calls: samples.length,
  };
}
