/**
 * One seeded run: a cluster of random size and options under a mix of faults (each seed draws its
 * own), then everything is healed and the cluster must make progress and agree.
 */
import type { NodeId, RaftOptions } from '../../src/raft/index.ts';
import { Cluster } from './cluster.ts';
import { heal } from './random-heal.ts';
import { ACTIONS, type ActionName, type RunState } from './random-actions.ts';
import { Rng } from './rng.ts';

export interface RunOptions {
  readonly seed: number;
  readonly events: number;
  readonly trace?: ((line: string) => void) | undefined;
}

const NAMES = 'abcdefghij'.split('') as NodeId[];
/** Actions every run needs to get anywhere, with how often they are chosen. */
const ALWAYS: readonly (readonly [ActionName, number])[] = [
  ['tick', 25],
  ['deliver', 60],
  ['disk', 30],
  ['propose', 8],
  ['calm', 8],
];
/** Actions a run may leave out. */
const SOMETIMES: readonly (readonly [ActionName, number])[] = [
  ['reorder', 15],
  ['drop', 10],
  ['duplicate', 8],
  ['crash', 3],
  ['restart', 5],
  ['holdDisk', 3],
  ['partition', 3],
  ['isolateLeader', 4],
  ['coup', 8],
  ['cutOneWay', 3],
  ['healNetwork', 4],
  ['read', 10],
  ['leaseRead', 10],
  ['transfer', 3],
  ['member', 4],
  ['join', 1],
  ['snapshot', 8],
  ['compact', 3],
  ['wipe', 1],
  ['unreachable', 2],
  ['campaigns', 1],
  ['powerLoss', 0.5],
  ['impatience', 10],
];

/** Runs a seed to its end; throws an `InvariantError` when anything promised does not hold. */
export function randomRun({ seed, events, trace }: RunOptions): Readonly<Record<string, number>> {
  const rng = new Rng(seed);
  const state = newState(rng, trace);
  const weights = swarm(rng, state.lockstep);
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  state.cluster.startAll();
  for (let i = 0; i < events; i++) {
    let at = rng.next() * total;
    const [name] = weights.find(([, weight]) => (at -= weight) < 0) ?? ALWAYS[0]!;
    trace?.(`# event ${i}: ${name}`);
    ACTIONS[name](state);
  }
  trace?.('# everything is healed');
  heal(state);
  return state.cluster.oracle.counters;
}

function newState(rng: Rng, trace: RunOptions['trace']): RunState {
  const size = rng.between(1, 7);
  const withLearner = rng.chance(0.2) ? 1 : 0;
  const cluster = new Cluster({
    voters: NAMES.slice(0, size),
    learners: NAMES.slice(size, size + withLearner),
    options: randomOptions(rng),
    random: () => rng.next(),
    chunkBytes: rng.between(4, 40),
    trace,
  });
  const firstSpare = size + withLearner;
  return {
    cluster,
    rng,
    lockstep: rng.chance(0.4),
    spares: NAMES.slice(firstSpare, firstSpare + rng.below(3)),
    wiped: undefined,
    commands: 0,
    reads: 0,
  };
}

/** Half of the runs have limits so small that everything is cut into pieces. */
function randomOptions(rng: Rng): Partial<RaftOptions> {
  const small = rng.chance(0.5);
  const electionTicks = rng.between(4, 12);
  return {
    electionTicks,
    heartbeatTicks: rng.between(1, Math.min(3, electionTicks - 2)),
    maxAppendBytes: small ? rng.between(1, 40) : 1000,
    maxInflightMessages: rng.between(1, small ? 3 : 8),
    maxInflightBytes: small ? rng.between(1, 60) : 10_000,
    maxUncommittedBytes: small ? rng.between(20, 300) : 100_000,
    maxCommittedBytes: small ? rng.between(1, 40) : 10_000,
    maxCachedBytes: rng.chance(0.5) ? rng.between(0, 50) : 10_000,
    leaseMarginTicks: 1,
    restartQuietTicks: electionTicks,
  };
}

/** Each run's own mix, so that rare combinations are not drowned by the common ones. */
function swarm(rng: Rng, lockstep: boolean): readonly (readonly [ActionName, number])[] {
  const chosen = SOMETIMES.filter(([name]) => {
    if (name === 'leaseRead' && !lockstep) return false;
    // Leases trust all clocks to run alike.
    if (name === 'impatience' && lockstep) return false;
    return rng.chance(0.65);
  }).map(([name, weight]) => [name, weight * (0.3 + 2 * rng.next())] as const);
  return [...ALWAYS, ...chosen];
}
