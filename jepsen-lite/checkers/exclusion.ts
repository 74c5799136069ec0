/** Rules on who holds at once, and on tokens. */
import { describeOperation } from '../history/describe.ts';
import type { Hold } from './holds.ts';
import type { Contradiction, Rule } from './rules.ts';

/** The holds of one name, in order of their grants' returns. */
export type Holds = readonly Hold[];

const NS_PER_MS = 1e6;

/** Beliefs that exclude each other overlap for no longer than clocks were apart. */
export const noOverlap: Rule<Holds> = (holds, { skewNs }) => {
  const active = new Set<Hold>();
  for (const hold of holds) {
    for (const one of active) if (one.toNs - skewNs <= hold.fromNs) active.delete(one);
    const others = [...active].filter((one) => one.holder !== hold.holder);
    const conflict = conflictOf(hold, others);
    if (conflict !== undefined) return conflict;
    active.add(hold);
  }
  return undefined;
};

function conflictOf(hold: Hold, others: readonly Hold[]): Contradiction | undefined {
  if (hold.mode === 'semaphore' && others.every(({ mode }) => mode === 'semaphore')) {
    return tooMany(hold, others);
  }
  const other = others.find((one) => isAlone(hold) || isAlone(one));
  if (other === undefined) return undefined;
  const overlap = (Math.min(hold.toNs, other.toNs) - hold.fromNs) / NS_PER_MS;
  const message =
    `${describeOperation(hold.grant)} was granted while another, which held it by ` +
    `${describeOperation(other.grant)}, still acted on it` +
    (overlap > 0 ? `: for ${overlap.toFixed(3)} ms both did` : '');
  return { message, operations: evidenceOf([other, hold]) };
}

function isAlone({ mode }: Hold): boolean {
  return mode !== 'shared';
}

function tooMany(hold: Hold, others: Holds): Contradiction | undefined {
  const taken = others.reduce((sum, { permits }) => sum + permits, hold.permits);
  if (taken <= hold.limit) return undefined;
  const message =
    `${describeOperation(hold.grant)} was granted while others acted on theirs, ` +
    `with which ${taken} permits of ${hold.limit} were out`;
  return { message, operations: evidenceOf([...others, hold]) };
}

function evidenceOf(holds: Holds): Contradiction['operations'] {
  return holds.flatMap(({ grant, end }) => (end === undefined ? [grant] : [grant, end]));
}

/** Each grant that began when another was there already has the greater token. */
export const tokensGrow: Rule<Holds> = (holds, { skewNs }) => {
  const all = holds.filter((one) => one.token !== undefined);
  let highest: Hold | undefined;
  let ended = 0;
  for (const hold of all.toSorted((a, b) => a.askedNs - b.askedNs)) {
    // Those that were granted before this one was asked for.
    while (ended < all.length && all[ended]!.fromNs + skewNs < hold.askedNs) {
      const one = all[ended++]!;
      if (highest === undefined || one.token! > highest.token!) highest = one;
    }
    if (highest === undefined || hold.token! > highest.token!) continue;
    return goesBack(highest, hold);
  }
  return undefined;
};

function goesBack(before: Hold, hold: Hold): Contradiction {
  const message =
    `${describeOperation(hold.grant)} got token ${hold.token}, ` +
    `though token ${before.token} had been given before by ${describeOperation(before.grant)}`;
  return { message, operations: [before.grant, hold.grant] };
}

/** Who excludes others is granted in the order of tokens, which is the order of arrival. */
export const grantedInOrder: Rule<Holds> = (holds, { skewNs }) => {
  let before: Hold | undefined;
  for (const hold of holds) {
    if (hold.mode !== 'exclusive' || hold.token === undefined) continue;
    if (before !== undefined && hold.token < before.token!) {
      if (hold.fromNs - before.fromNs > skewNs) return goesBack(before, hold);
    }
    if (before === undefined || hold.token > before.token!) before = hold;
  }
  return undefined;
};

/** No two grants have one token, unless they are the same holder's without a release between. */
export const tokensAreUnique: Rule<Holds> = (holds) => {
  const seen = new Map<number, Hold>();
  for (const hold of holds) {
    if (hold.token === undefined) continue;
    const other = seen.get(hold.token);
    if (other !== undefined && other.holder !== hold.holder) {
      const [a, b] = [describeOperation(other.grant), describeOperation(hold.grant)];
      const message = `${a} and ${b} were given the same token, ${hold.token}`;
      return { message, operations: [other.grant, hold.grant] };
    }
    seen.set(hold.token, hold);
  }
  return undefined;
};
