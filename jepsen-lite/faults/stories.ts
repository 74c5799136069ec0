/**
 * Faults that belong together: what goes wrong in clusters is often one thing after the other, and
 * chance alone hardly ever puts them in a row.
 */
import type { Dice } from '../simulation/random.ts';
import { LEADER } from './fault.ts';
import type { DirectedLink, Fault } from './fault.ts';
import type { FaultTargets } from './fault-targets.ts';
import { bothWays } from './partition-links.ts';

/** So many seeds lose one leader after the other, beside what else they draw. */
const SUCCESSIONS = 0.3;
/** And so many of those in which leases count have leaders that hear of everything late. */
const LATE_ANSWERS = 0.4;
/** Where all disks but one are slow together, as volumes of one storage are. */
const SLOW_VOTERS = 0.15;
/** Where a node loses its disk just before its vote decides. */
const LOST_VOTES = 0.2;

/** Some of them, or none; for three nodes at least. */
export function drawStories(dice: Dice, targets: FaultTargets): Fault[] {
  const faults: Fault[] = [];
  if (dice.chance(SUCCESSIONS)) faults.push(...drawSuccession(dice, targets));
  // Where clocks are trusted, leases are.
  if (!targets.clocksMayPart && dice.chance(LATE_ANSWERS)) {
    faults.push(...drawLateAnswers(dice, targets));
  }
  if (dice.chance(SLOW_VOTERS)) faults.push(...drawSlowVoters(dice, targets));
  if (dice.chance(LOST_VOTES)) faults.push(...drawLostVotes(dice, targets));
  return faults;
}

/**
 * Leaders are lost one after the other, each with something begun that the next does not know, and
 * come back while others are being lost (Figure 8 is such a story).
 */
function drawSuccession(dice: Dice, targets: FaultTargets): Fault[] {
  const { electionTimeoutMs, faultsMs } = targets;
  const faults: Fault[] = [];
  // Some reigns end before much is committed in them: what an earlier one left is longer then.
  const reignMs = electionTimeoutMs * dice.magnitude(0.3, 4);
  const awayMs = electionTimeoutMs * dice.magnitude(1, 8);
  const crashes = dice.pick([0, 0.5, 1]);
  const coups = dice.pick([0, 0, 0.5, 1]);
  for (let atMs = reignMs; atMs < faultsMs; atMs += reignMs * dice.between(0.6, 1.4)) {
    const forMs = Math.round(awayMs * dice.between(0.5, 1.5));
    const timed = { atMs: Math.round(atMs), forMs };
    if (dice.chance(coups)) {
      faults.push(...drawCoup(dice, targets, timed));
      continue;
    }
    faults.push(
      dice.chance(crashes)
        ? { type: 'crash', ...timed, node: LEADER, whilePending: false, power: dice.chance(0.5) }
        : { type: 'partition', ...timed, shape: 'leader', links: [], flapMs: 0 },
    );
  }
  return faults;
}

/**
 * Leadership is handed over, and the one who led is cut off before it hears what came of it: it
 * believes in itself while another leads already, which no timeout would let happen.
 */
function drawCoup(
  dice: Dice,
  { nodes, electionTimeoutMs }: FaultTargets,
  { atMs, forMs }: { readonly atMs: number; readonly forMs: number },
): Fault[] {
  const laterMs = electionTimeoutMs * dice.magnitude(0.002, 0.1);
  return [
    { type: 'transfer', atMs, forMs: 0, to: dice.pick(nodes) },
    { type: 'partition', atMs: atMs + laterMs, forMs, shape: 'leader', links: [], flapMs: 0 },
  ];
}

/**
 * A leader hears its followers late, and is then heard no more: what it learns is old by then,
 * while the others choose another, whom it does not hear of for as long.
 */
function drawLateAnswers(
  dice: Dice,
  { nodes, electionTimeoutMs, faultsMs }: FaultTargets,
): Fault[] {
  const faults: Fault[] = [];
  let atMs = Math.round(electionTimeoutMs * dice.between(1, 4));
  while (atMs < faultsMs) {
    const to = dice.pick(nodes);
    const others = nodes.filter((node) => node !== to);
    const delayMs = Math.round(electionTimeoutMs * dice.between(0.3, 0.95));
    const slowAtMs = atMs + Math.round(electionTimeoutMs * dice.between(0.1, 1));
    const cutAtMs = slowAtMs + delayMs + Math.round(electionTimeoutMs * dice.between(0.1, 1));
    const forMs = 3 * electionTimeoutMs;
    const links = others.map((other): DirectedLink => [to, other]);
    faults.push({ type: 'transfer', atMs, forMs: 0, to });
    for (const from of others) {
      faults.push({ type: 'slowLink', atMs: slowAtMs, forMs: 2 * forMs, from, to, delayMs });
    }
    faults.push({ type: 'partition', atMs: cutAtMs, forMs, shape: 'oneWay', links, flapMs: 0 });
    atMs += Math.round(electionTimeoutMs * dice.between(8, 16));
  }
  return faults;
}

/**
 * All disks but one are slow when the leader is lost: votes take longer to be durable than the one
 * who asks for them waits, and are late for the next time it asks.
 */
function drawSlowVoters(dice: Dice, targets: FaultTargets): Fault[] {
  const { nodes, electionTimeoutMs, faultsMs } = targets;
  const faults: Fault[] = [];
  let atMs = Math.round(electionTimeoutMs * dice.between(1, 8));
  while (atMs < faultsMs) {
    const forMs = Math.round(electionTimeoutMs * dice.between(4, 12));
    const latencyMs = Math.round(electionTimeoutMs * dice.between(0.8, 2.5));
    const quick = dice.pick(nodes);
    for (const node of nodes) {
      if (node === quick) continue;
      faults.push({ type: 'disk', atMs, forMs, node, how: { type: 'slow', latencyMs } });
    }
    const lostAtMs = atMs + Math.round(electionTimeoutMs * dice.between(0.1, 1));
    faults.push({
      type: 'partition',
      atMs: lostAtMs,
      forMs,
      shape: 'leader',
      links: [],
      flapMs: 0,
    });
    atMs += forMs + Math.round(electionTimeoutMs * dice.between(4, 12));
  }
  return faults;
}

/**
 * A bare majority acknowledges what the others do not hear of. One of it loses its disk, is back at
 * once, and is cut off from the rest of that majority while it is being told again: were its vote
 * counted, it would now elect somebody who lacks what it has acknowledged.
 */
function drawLostVotes(dice: Dice, { nodes, electionTimeoutMs, faultsMs }: FaultTargets): Fault[] {
  const faults: Fault[] = [];
  let atMs = Math.round(electionTimeoutMs * dice.between(1, 4));
  while (atMs < faultsMs) {
    const order = dice.shuffled(nodes);
    const [leader, wiped] = [order[0]!, order[1]!];
    const majority = Math.floor(nodes.length / 2) + 1;
    const behind = order.slice(majority);
    const keepers = order.slice(0, majority).filter((node) => node !== wiped);
    const partAtMs = atMs + Math.round(electionTimeoutMs * dice.between(0.5, 1.5));
    // All before the leader gives up, who from here on hears of nobody whose replies count.
    const wipeAtMs = partAtMs + Math.round(electionTimeoutMs * dice.magnitude(0.03, 0.3));
    const awayMs = Math.round(electionTimeoutMs * dice.magnitude(0.01, 0.1));
    // What it is told comes piece by piece, so that it has heard of the members and not of all.
    const delayMs = Math.round(electionTimeoutMs * dice.magnitude(0.03, 0.3));
    const cutAtMs = wipeAtMs + Math.round(electionTimeoutMs * dice.between(0.3, 1.2));
    const endAtMs = cutAtMs + Math.round(electionTimeoutMs * dice.between(3, 8));
    const part = (fromMs: number, one: readonly string[], others: readonly string[]): Fault => ({
      type: 'partition',
      atMs: fromMs,
      forMs: endAtMs - fromMs,
      shape: 'halves',
      links: bothWays(one, others),
      flapMs: 0,
    });
    faults.push(
      { type: 'transfer', atMs, forMs: 0, to: leader },
      part(partAtMs, keepers, behind),
      { type: 'wipe', atMs: wipeAtMs, forMs: awayMs, node: wiped },
      {
        type: 'slowLink',
        atMs: wipeAtMs,
        forMs: endAtMs - wipeAtMs,
        from: leader,
        to: wiped,
        delayMs,
      },
      part(cutAtMs, keepers, [wiped]),
    );
    atMs = endAtMs + Math.round(electionTimeoutMs * dice.between(4, 10));
  }
  return faults;
}
