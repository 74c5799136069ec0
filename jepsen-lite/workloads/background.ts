/** What a client does beside its calls: following something, again and again, until it is told. */
import { HoldfastError } from '../../src/client/index.ts';
import type { WorkloadContext } from './workload.ts';

/** How long to wait before something that failed is begun again. */
const AGAIN_AFTER_MS = 200;

export interface Background {
  /** Resolves when it has ended. */
  stop(): Promise<void>;
}

/**
 * Calls `follow` again whenever it has ended, by itself or with a `HoldfastError`, until stopped;
 * then `signal` aborts, which must end it.
 */
export function inBackground(
  context: WorkloadContext,
  follow: (signal: AbortSignal) => Promise<void>,
): Background {
  const controller = new AbortController();
  const { signal } = controller;
  const running = (async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await follow(signal);
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        if (error.code === 'closed') return;
      }
      if (!signal.aborted) await context.pause(AGAIN_AFTER_MS);
    }
  })();
  // Whoever stops it learns of a failure; until then it is not unhandled.
  running.catch(() => undefined);
  return {
    stop: async () => {
      controller.abort();
      await running;
    },
  };
}
