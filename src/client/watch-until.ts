import { HoldfastError } from '../base/index.ts';
import type { ByteString } from '../registry/index.ts';
import type { ClientEnvironment } from './environment.ts';
import type { Watch, WatchEvent } from './registry.ts';
import type { StopSignal, WaitEnd } from './waiting.ts';

/** Whoever waits for events and then asks the cluster what they amount to. */
export interface WatchHost {
  readonly proposals: { readonly environment: ClientEnvironment };
  /** Events of keys from `start` to before `end`, from a revision on. */
  watchKeys(start: ByteString, end: ByteString, from: number, signal: StopSignal): Watch;
}

/**
 * A watch is a hint: it may hang on a node that lives but is cut off from the cluster, and would
 * then tell nothing for as long as that lasts. So waiting ends after so long anyway.
 */
const TRUST_WATCH_MS = 10_000;

/**
 * Until an event after the revision is what was waited for, or only a look at the state can tell.
 */
export async function watchUntil(
  host: WatchHost,
  [start, before]: readonly [start: ByteString, before: ByteString],
  revision: number,
  end: WaitEnd,
  isIt: (event: WatchEvent) => boolean,
): Promise<void> {
  const watch = host.watchKeys(start, before, revision + 1, end.signal);
  const cancel = host.proposals.environment.setTimer(TRUST_WATCH_MS, () => void watch.close());
  try {
    for await (const event of watch) {
      if (isIt(event)) break;
    }
  } catch (error) {
    const code = error instanceof HoldfastError ? error.code : undefined;
    if (code !== 'compacted' && code !== 'overrun') throw error;
  } finally {
    cancel();
    await watch.close();
  }
  end.throwIfEnded();
}
