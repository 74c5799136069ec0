/** Rates and latencies of the part that shows, in buckets of equal length. */
import type { Run } from './run.ts';
import { countBelow } from './search.ts';

export interface Buckets {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly count: number;
  /** By time of the call, a number a bucket. */
  readonly ok: Float64Array;
  readonly fail: Float64Array;
  readonly info: Float64Array;
  /** Of answered calls, in ms; NaN where there are none. What took no time was only noted. */
  readonly median: Float64Array;
  readonly p99: Float64Array;
}

/** `includes` says which operations count. */
export function bucketsOf(
  run: Run,
  fromMs: number,
  toMs: number,
  stepMs: number,
  includes: (operation: number) => boolean,
): Buckets {
  // Buckets stand at multiples of their length, so that panning does not make them flicker.
  const startMs = Math.floor(fromMs / stepMs) * stepMs;
  const count = Math.ceil((toMs - startMs) / stepMs);
  const lists: number[][] = Array.from({ length: count }, () => []);
  const numbers = (): Float64Array => new Float64Array(count);
  const counts = { ok: numbers(), fail: numbers(), info: numbers() };
  const first = countBelow(run.callMs.length, startMs, (i) => run.callMs[i]!);
  for (let i = first; i < run.callMs.length; i++) {
    const callMs = run.callMs[i]!;
    const bucket = Math.floor((callMs - startMs) / stepMs);
    if (bucket >= count) break;
    if (!includes(i)) continue;
    const { type } = run.record.history[i]!;
    counts[type][bucket]!++;
    const tookMs = run.returnMs[i]! - callMs;
    if (type === 'ok' && tookMs > 0) lists[bucket]!.push(tookMs);
  }
  const median = numbers().fill(NaN);
  const p99 = numbers().fill(NaN);
  lists.forEach((list, bucket) => {
    if (list.length === 0) return;
    list.sort((a, b) => a - b);
    median[bucket] = list[Math.floor((list.length - 1) / 2)]!;
    p99[bucket] = list[Math.ceil((list.length - 1) * 0.99)]!;
  });
  return { fromMs: startMs, stepMs, count, ...counts, median, p99 };
}
