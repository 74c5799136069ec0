import type { Environment } from '../node/index.ts';
import type { RegistryStateMachine } from '../registry/index.ts';

/** Between two slices of about as long: whatever else the node has to do comes first. */
const PAUSE_MS = 1;

/**
 * Lets the registry hash its replica's tree in slices, while there is anything to hash. Returns a
 * function that ends it.
 */
export function runTreeWork(
  registry: Pick<RegistryStateMachine, 'treeWork' | 'onTreeWork'>,
  environment: Pick<Environment, 'setTimer'>,
): () => void {
  let cancel: (() => void) | undefined;
  let ended = false;
  const work = (): void => {
    cancel = undefined;
    if (registry.treeWork()) schedule();
  };
  const schedule = (): void => {
    if (!ended) cancel ??= environment.setTimer(PAUSE_MS, work);
  };
  registry.onTreeWork(schedule);
  return () => {
    ended = true;
    cancel?.();
  };
}
