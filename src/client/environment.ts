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

/**
 * The real clock and the real dice. The platform's timers drop fractions of a ms and count from a
 * moment that may have passed, so they can be early; who then finds a deadline ahead of it would
 * never look again.
 */
export const systemClientEnvironment: ClientEnvironment = {
  now: () => performance.now(),
  random: () => Math.random(),
  setTimer(delayMs, callback) {
    const dueMs = performance.now() + delayMs;
    const wait = (leftMs: number): NodeJS.Timeout =>
      setTimeout(fire, Math.min(Math.ceil(leftMs), MAX_TIMER_MS));
    const fire = (): void => {
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) timer = wait(leftMs);
      else callback();
    };
    let timer = wait(delayMs);
    return () => clearTimeout(timer);
  },
};
