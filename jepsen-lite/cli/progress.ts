/** Signs of life while one thing takes long. */
import type { Progress } from '../../src/cli/progress.ts';

const INTERVAL_MS = 500;

/** Shows what is being done, and for how long it has been, until it is over. */
export async function withProgress<T>(
  progress: Progress,
  what: () => string,
  doing: Promise<T>,
): Promise<T> {
  const begunAt = performance.now();
  const show = (): void => {
    const seconds = Math.round((performance.now() - begunAt) / 1_000);
    progress.update(() => (seconds === 0 ? what() : `${what()}, ${seconds} s`));
  };
  show();
  const timer = setInterval(show, INTERVAL_MS);
  try {
    return await doing;
  } finally {
    clearInterval(timer);
  }
}
