/** A node's settings in the units of the core: ticks and bytes. */
import type { RaftOptions } from '../raft/index.ts';
import type { NodeOptions, NodeSettings } from './contract.ts';

/** Bytes of entries handed out to the state machine at once. */
const MAX_COMMITTED_BYTES = 4 * 1024 * 1024;
/** A lease ends this much of an election timeout early, for clocks that run at different speeds. */
const LEASE_MARGIN = 0.2;

export function raftOptions(options: NodeOptions, storeId: string, isNew: boolean): RaftOptions {
  const { id, environment, settings } = options;
  const rest = paces(settings);
  return {
    id,
    storeId,
    random: () => environment.random(),
    // In the life before, this node may have been part of a quorum that granted a lease.
    restartQuietTicks: isNew ? 0 : rest.electionTicks,
    ...rest,
  };
}

function paces(
  settings: NodeSettings,
): Omit<RaftOptions, 'id' | 'storeId' | 'random' | 'restartQuietTicks'> {
  const electionTicks = Math.max(2, Math.round(settings.electionTimeoutMs / settings.tickMs));
  return {
    electionTicks,
    heartbeatTicks: Math.max(1, Math.round(settings.heartbeatMs / settings.tickMs)),
    maxAppendBytes: settings.maxAppendBytes,
    maxInflightMessages: settings.maxInflightMessages,
    maxInflightBytes: settings.maxInflightBytes,
    maxUncommittedBytes: settings.maxUncommittedBytes,
    maxCommittedBytes: MAX_COMMITTED_BYTES,
    maxCachedBytes: settings.maxCachedBytes,
    leaseMarginTicks: Math.max(2, Math.ceil(electionTicks * LEASE_MARGIN)),
    checkInvariants: settings.checkInvariants,
  };
}
