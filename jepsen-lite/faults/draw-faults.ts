/** Which faults a run has, when and where: all of it from a seed, before the run begins. */
import type { Dice } from '../simulation/random.ts';
import { LEADER } from './fault.ts';
import type { FaultTargets } from './fault-targets.ts';
import { linksOf } from './partition-links.ts';
import { drawStories } from './stories.ts';
import type { ClientCutFault, DiskFault, Fault, PartitionShape } from './fault.ts';

/** Where and when one fault is to be. */
interface Draw {
  readonly dice: Dice;
  readonly targets: FaultTargets;
  readonly atMs: number;
  readonly forMs: number;
}

type DrawFault = (draw: Draw) => Fault;

/** More often than each of the others, and in more of the mixes. */
const FAVOURED: Readonly<Record<string, number>> = {
  crash: 3,
  partition: 3,
  weather: 3,
  slowLink: 2,
  disk: 2,
  membership: 2,
  transfer: 2,
};
/** What takes more than one node. */
const NEEDS_PEERS: ReadonlySet<string> = new Set([
  'partition',
  'weather',
  'slowLink',
  'damage',
  'wipe',
  'oldDisk',
  'membership',
  'transfer',
]);
/**
 * By so much clocks run apart where something is promised on the strength of them: a client gives
 * away this share of a TTL (`DRIFT_SHARE` in `src/client/client-session.ts`).
 */
export const DECLARED_DRIFT: number = 1 / 64;
/** A clock's own pace, as drawn. The rest of what is declared is for jumps. */
export const TRUSTED_CLOCKS_APART: number = 0.9 * DECLARED_DRIFT;
const PENDING_CRASHES = 10 / 11;

/**
 * Faults by the time they begin. Each seed has a mix of its own (swarm testing: what is left out of
 * one mix leaves room for what it would have hidden).
 */
export function drawFaults(dice: Dice, targets: FaultTargets): Fault[] {
  const { electionTimeoutMs, faultsMs, nodes } = targets;
  const kinds = Object.keys(DRAWS).filter(
    (kind) => (nodes.length > 1 || !NEEDS_PEERS.has(kind)) && targets.kinds?.has(kind) !== false,
  );
  const share = dice.magnitude(0.15, 1);
  const weights = kinds.map((kind) =>
    dice.chance(share ** (1 / (FAVOURED[kind] ?? 1)))
      ? dice.between(0.1, 1) * (FAVOURED[kind] ?? 1)
      : 0,
  );
  const meanGapMs = electionTimeoutMs * dice.magnitude(0.7, 8);
  const longestMs = electionTimeoutMs * dice.magnitude(1, 12);
  const faults: Fault[] = [];
  let atMs = meanGapMs * dice.random();
  while (atMs < faultsMs && weights.some((weight) => weight > 0)) {
    const forMs = Math.round(longestMs * dice.magnitude(0.02, 1));
    const draw = { dice, targets, atMs: Math.round(atMs), forMs };
    faults.push(DRAWS[weighted(dice, kinds, weights)]!(draw));
    atMs += -Math.log(1 - dice.random()) * meanGapMs;
  }
  if (nodes.length >= 3) faults.push(...drawStories(dice, targets));
  return faults
    .filter(({ type, atMs: at }) => at < faultsMs && targets.kinds?.has(type) !== false)
    .toSorted((a, b) => a.atMs - b.atMs);
}

function weighted(dice: Dice, kinds: readonly string[], weights: readonly number[]): string {
  let left = dice.random() * weights.reduce((sum, weight) => sum + weight, 0);
  const at = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return kinds[Math.max(0, at)]!;
}

/** A node, or half of the time whoever leads. */
function someNode({ dice, targets }: Draw): string {
  return dice.chance(0.4) ? LEADER : dice.pick(targets.nodes);
}

const DRAWS: Readonly<Record<string, DrawFault>> = {
  partition: drawPartition,
  weather: ({ dice, atMs, forMs, targets }) => ({
    type: 'weather',
    atMs,
    forMs,
    loss: dice.chance(0.5) ? 0 : dice.magnitude(0.01, 0.4),
    duplicate: dice.chance(0.5) ? 0 : dice.magnitude(0.01, 0.4),
    delayMs: dice.chance(0.4) ? 0 : Math.round(targets.electionTimeoutMs * dice.magnitude(0.01, 1)),
    corrupt: dice.chance(0.6) ? 0 : dice.magnitude(0.002, 0.05),
  }),
  slowLink: ({ dice, atMs, forMs, targets }) => {
    const [from, to] = dice.shuffled(targets.nodes);
    const delayMs = Math.round(targets.electionTimeoutMs * dice.magnitude(0.05, 1.5));
    return { type: 'slowLink', atMs, forMs, from: from!, to: to!, delayMs };
  },
  crash: (draw) => ({
    type: 'crash',
    atMs: draw.atMs,
    forMs: draw.forMs,
    node: someNode(draw),
    whilePending: draw.dice.chance(PENDING_CRASHES),
    power: draw.dice.chance(0.6),
  }),
  powerLoss: ({ atMs, forMs }) => ({ type: 'powerLoss', atMs, forMs }),
  pause: (draw) => ({
    type: 'pause',
    atMs: draw.atMs,
    forMs: draw.forMs,
    node: someNode(draw),
  }),
  clientPause: ({ dice, atMs, forMs, targets }) => {
    return { type: 'clientPause', atMs, forMs, client: dice.below(targets.clients) };
  },
  clientCut: ({ dice, atMs, forMs, targets }) => {
    const how = dice.pick<ClientCutFault['how']>(['reset', 'frame', 'corrupt', 'silence']);
    return { type: 'clientCut', atMs, forMs, client: dice.below(targets.clients), how };
  },
  clockRate: (draw) => {
    const { dice, atMs, forMs, targets } = draw;
    const apart = targets.clocksMayPart ? 0.5 : TRUSTED_CLOCKS_APART;
    const rate = 1 + apart * dice.between(-1, 1);
    return { type: 'clockRate', atMs, forMs: 2 * forMs, node: someNode(draw), rate };
  },
  clockJump: (draw) => {
    const { dice, atMs, targets } = draw;
    const longest = targets.clocksMayPart ? 20 * targets.electionTimeoutMs : 1;
    const byMs = Math.round(longest * dice.magnitude(0.01, 1));
    return { type: 'clockJump', atMs, forMs: 0, node: someNode(draw), byMs };
  },
  disk: (draw) => ({
    type: 'disk',
    atMs: draw.atMs,
    forMs: draw.forMs,
    node: someNode(draw),
    how: drawDiskTrouble(draw),
  }),
  damage: (draw) => ({
    type: 'damage',
    atMs: draw.atMs,
    forMs: draw.forMs,
    node: someNode(draw),
    how: draw.dice.chance(0.7) ? 'bitFlip' : 'misdirected',
    where: draw.dice.random(),
  }),
  oldDisk: (draw) => ({
    type: 'oldDisk',
    atMs: draw.atMs,
    forMs: draw.forMs,
    node: someNode(draw),
  }),
  wipe: (draw) => ({ type: 'wipe', atMs: draw.atMs, forMs: draw.forMs, node: someNode(draw) }),
  membership: (draw) => ({
    type: 'membership',
    atMs: draw.atMs,
    forMs: 3 * draw.forMs,
    node: someNode(draw),
    how: draw.dice.pick(['demote', 'remove', 'join']),
  }),
  transfer: ({ dice, atMs, targets }) => {
    return { type: 'transfer', atMs, forMs: 0, to: dice.pick(targets.nodes) };
  },
};

function drawDiskTrouble({ dice, targets }: Draw): DiskFault['how'] {
  const type = dice.pick(['slow', 'stuck', 'error', 'full']);
  if (type === 'slow') {
    return { type, latencyMs: Math.round(targets.electionTimeoutMs * dice.magnitude(0.05, 3)) };
  }
  if (type === 'error') return { type, written: dice.chance(0.5) };
  return type === 'stuck' ? { type: 'stuck' } : { type: 'full' };
}

function drawPartition({ dice, targets, atMs, forMs }: Draw): Fault {
  const shapes: PartitionShape[] = ['one', 'halves', 'oneWay', 'leader', 'leader'];
  if (targets.nodes.length > 3) shapes.push('majorityRing', 'bridge');
  const shape = dice.pick(shapes);
  const links = linksOf(shape, dice.shuffled(targets.nodes));
  const flapMs = dice.chance(0.2)
    ? Math.round(targets.electionTimeoutMs * dice.magnitude(0.1, 2))
    : 0;
  return { type: 'partition', atMs, forMs, shape, links, flapMs };
}
