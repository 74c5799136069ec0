import { performance } from 'node:perf_hooks';

/**
 * Time and chance, as far as a client needs them; given from outside so that tests can rule them.
 */
export interface ClientEnvironment {
  /** Monotonic, in ms with fractions. */
  now(): number;
  /** Calls once, not before `delayMs`; returns a function that cancels it. */
  setTimer(delayMs: number, callback: () => void): () => void;
  /** Uniform in [0, 1). */
  random(): number;
}

/** The longest delay the platform's timers take; a longer one is reached in steps. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The real clock and the real dice. */
export const systemClientEnvironment: ClientEnvironment = {
  now: () => performance.now(),
  random: () => Math.random(),
  setTimer(delayMs, callback) {
    let left = delayMs;
    let timer: NodeJS.Timeout;
    const step = (): void => {
      const wait = Math.min(left, MAX_TIMER_MS);
      left -= wait;
      timer = setTimeout(left > 0 ? step : callback, wait);
    };
    step();
    return () => clearTimeout(timer);
  },
};
