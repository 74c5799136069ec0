/** Settings that suit a few nodes on one local network with ordinary disks. */
import type { NodeSettings } from './contract.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

export const defaultSettings: NodeSettings = {
  tickMs: 20,
  electionTimeoutMs: 400,
  heartbeatMs: 80,
  maxAppendBytes: MIB,
  maxInflightMessages: 256,
  maxInflightBytes: 8 * MIB,
  maxUncommittedBytes: 64 * MIB,
  maxCachedBytes: 4 * MIB,
  maxPendingCommands: 100_000,
  maxPendingBytes: 128 * MIB,
  maxPendingReads: 100_000,
  maxCommandBytes: 8 * MIB,
  slowWriteMs: 1_000,
  snapshotEveryEntries: 100_000,
  snapshotEveryBytes: 64 * MIB,
  trailingEntries: 10_000,
  snapshotChunkBytes: 256 * KIB,
  requestTimeoutMs: 5_000,
  checkInvariants: false,
};
