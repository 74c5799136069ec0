/** What a seed decides of a run before it begins. */
import type { NodeSettings } from '../../src/node/index.ts';
import type { RegistryOptions } from '../../src/client/index.ts';
import type { RegistryLimits } from '../../src/registry/index.ts';
import { TRUSTED_CLOCKS_APART } from '../faults/draw-faults.ts';
import { workloads } from '../workloads/index.ts';
import { Dice, randomFor } from './random.ts';

/** Plain JSON, as it stands in records and replay files. */
export interface Configuration {
  readonly workload: string;
  /** Founding nodes. */
  readonly nodes: number;
  readonly clients: number;
  /** How long faults come and go, in milliseconds of simulated time. */
  readonly faultsMs: number;
  readonly settings: Partial<NodeSettings>;
  readonly limits: Partial<RegistryLimits>;
  readonly client: RegistryOptions;
  readonly network: { readonly minLatencyMs: number; readonly maxLatencyMs: number };
  /** Of each founding node. */
  readonly disks: readonly DiskConfiguration[];
  /** Clients that know one node only, as its own registry does; the others follow the leader. */
  readonly pinnedClients: readonly boolean[];
  /** What a workload's pauses are multiplied by. */
  readonly pace: number;
  /** Pace of each clock; 1 is right. */
  readonly clockRates: readonly number[];
}

export interface DiskConfiguration {
  readonly minLatencyMs: number;
  readonly maxLatencyMs: number;
  readonly isSynchronous: boolean;
}

/** What the caller decides himself. */
export interface Wishes {
  readonly workload?: string | undefined;
  readonly nodes?: number | undefined;
  readonly clients?: number | undefined;
  /** How long faults come and go; 30 s unless given. */
  readonly faultsMs?: number | undefined;
}

/**
 * The number of the client that makes a workload's last calls. Before it come the workload's own,
 * one that asks the healed core, and one for each founding node that asks it alone.
 */
export function lastClient({ clients, nodes }: Configuration): number {
  return clients + 1 + nodes;
}

const DEFAULT_FAULTS_MS = 30_000;
/** Election timeout of the quickest cluster; the others are so many times slower in everything. */
const BASE_TIMEOUT_MS = 150;
const SLOWNESS = [1, 2, 4, 8];
/** Where a workload waits for times of its own. */
const TIMED_SLOWNESS = [1, 2];

/** Those that are to pass. */
function drawable(): string[] {
  return Object.keys(workloads).filter((name) => workloads[name]!().mustFail === undefined);
}

export function drawConfiguration(seed: number, wishes: Wishes = {}): Configuration {
  const dice = new Dice(randomFor(seed, 'configuration'));
  const nodes = wishes.nodes ?? dice.pick([1, 3, 3, 3, 3, 5, 5]);
  const drawnWorkload = dice.pick(drawable());
  const drawnClients = 2 + dice.below(4);
  const workload = wishes.workload ?? drawnWorkload;
  const clients = wishes.clients ?? drawnClients;
  const trustsClocks = workloads[workload]?.().trustsClocks === true;
  const slowness = dice.pick(trustsClocks ? TIMED_SLOWNESS : SLOWNESS);
  const settings = drawSettings(dice, slowness);
  const maxLatencyMs = slowness * dice.magnitude(0.3, 12);
  const clocksApart =
    !trustsClocks && dice.chance(0.5) ? dice.between(0.05, 0.5) : TRUSTED_CLOCKS_APART;
  return {
    workload,
    nodes,
    clients,
    pinnedClients: Array.from({ length: clients }, () => dice.chance(0.4)),
    faultsMs: wishes.faultsMs ?? DEFAULT_FAULTS_MS,
    settings,
    limits: drawLimits(dice),
    client: {
      requestTimeout: Math.round(slowness * dice.between(300, 1_500)),
      sessionTtl: Math.round(slowness * dice.between(600, 3_000)),
    },
    network: { minLatencyMs: maxLatencyMs * dice.between(0.1, 0.9), maxLatencyMs },
    disks: Array.from({ length: nodes }, () => drawDisk(dice, slowness)),
    pace: trustsClocks ? 1 : slowness * dice.magnitude(0.15, 8),
    clockRates: Array.from({ length: nodes }, () => 1 + clocksApart * dice.between(-1, 1)),
  };
}

function drawSettings(dice: Dice, slowness: number): Partial<NodeSettings> {
  const electionTimeoutMs = slowness * BASE_TIMEOUT_MS;
  const isSmall = dice.chance(0.5);
  return {
    tickMs: electionTimeoutMs / dice.pick([10, 15]),
    electionTimeoutMs,
    heartbeatMs: electionTimeoutMs / 5,
    slowWriteMs: electionTimeoutMs,
    requestTimeoutMs: 4 * electionTimeoutMs,
    snapshotEveryEntries: 5 + dice.below(dice.pick([20, 100, 1_000])),
    // Without any, who lacks one entry is sent a snapshot, whatever else it holds.
    trailingEntries: Math.max(0, dice.below(40) - 20),
    snapshotChunkBytes: dice.pick([4_096, 16_384, 262_144]),
    maxAppendBytes: isSmall ? 1 + dice.below(400) : 65_536,
    maxInflightMessages: 1 + dice.below(16),
    maxCachedBytes: isSmall ? dice.below(1_000) : 1_048_576,
    maxUncommittedBytes: isSmall ? 1_000 : 1_048_576,
    checkInvariants: true,
  };
}

function drawLimits(dice: Dice): Partial<RegistryLimits> {
  return {
    minSessionTtlMs: 10,
    historyRevisions: Math.round(dice.magnitude(30, 500)),
  };
}

function drawDisk(dice: Dice, slowness: number): DiskConfiguration {
  const maxLatencyMs = slowness * dice.magnitude(0.1, 10);
  const minLatencyMs = maxLatencyMs * dice.between(0.1, 1);
  return { minLatencyMs, maxLatencyMs, isSynchronous: dice.chance(0.25) };
}
