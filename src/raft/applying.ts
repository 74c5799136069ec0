/** Handing committed entries out, each once and in order. */
import { invariant } from '../base/index.ts';
import type { Core } from './core.ts';
import { logIndex } from './entry.ts';
import type { Entry, FetchRequest } from './types.ts';

const NOTHING: readonly Entry[] = [];

/** Whether `takeCommitted` would hand out entries or ask for them. */
export function hasCommitted(core: Core): boolean {
  if (core.fetchedToApply !== undefined) return true;
  return core.applicableIndex > core.appliedIndex && core.applyFetch === undefined;
}

/** The next committed entries; those no longer in memory are asked back from the store first. */
export function takeCommitted(core: Core): readonly Entry[] {
  if (!hasCommitted(core)) return NOTHING;
  const entries = core.fetchedToApply ?? fromMemory(core);
  core.fetchedToApply = undefined;
  if (entries.length === 0) return entries;
  core.appliedIndex = entries[entries.length - 1]!.index;
  return entries;
}

function fromMemory(core: Core): readonly Entry[] {
  const { log, options } = core;
  const from = logIndex(core.appliedIndex + 1);
  const through = core.applicableIndex;
  if (from >= log.memoryFirst) return log.slice(from, through, options.maxCommittedBytes).entries;
  core.applyFetch = {
    purpose: { type: 'apply' },
    from,
    through: logIndex(Math.min(through, log.memoryFirst - 1)),
    maxBytes: options.maxCommittedBytes,
  };
  core.out.fetch.push(core.applyFetch);
  return NOTHING;
}

export function handleApplyFetch(
  core: Core,
  request: FetchRequest,
  entries: readonly Entry[] | undefined,
): void {
  // A snapshot may have been installed meanwhile.
  if (core.applyFetch === undefined || request.from !== core.applyFetch.from) return;
  core.applyFetch = undefined;
  invariant(entries !== undefined && entries.length > 0, 'entries to apply are gone', request);
  entries.forEach((entry, i) => {
    const inPlace = entry.index === request.from + i && entry.index <= core.applicableIndex;
    invariant(inPlace, 'fetched entries are those asked for', request);
  });
  core.fetchedToApply = entries;
}
