/** Chance from seeds: the same numbers for the same seed, on every machine. */

/** Numbers of at least 0, below 1, from a generator with a 32-bit state (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + STEP) >>> 0;
    return numberOf(state);
  };
}

const STEP = 0x6d2b79f5;

function numberOf(state: number): number {
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/**
 * A generator of its own for each purpose, so that one more number drawn for the one changes
 * nothing for the others.
 */
export function randomFor(seed: number, purpose: string): () => number {
  return createRandom(stateFor(seed, purpose));
}

function stateFor(seed: number, purpose: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < purpose.length; i++) {
    hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x01000193);
  }
  return hash ^ Math.imul(seed + 1, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32);
}

const moment = new Float64Array(1);
const momentBits = new Uint32Array(moment.buffer);

/**
 * A generator whose numbers hang on the moment (`now`, in whatever unit), not on how many were
 * drawn before: what is left out of a run changes nothing for what had nothing to do with it, so
 * that failing runs can be made small.
 */
export function randomByMoment(seed: number, purpose: string, now: () => number): () => number {
  const begin = stateFor(seed, purpose);
  let drawnAt = NaN;
  let state = 0;
  return () => {
    const at = now();
    if (at !== drawnAt) {
      drawnAt = at;
      moment[0] = at;
      state = mixed(mixed(begin ^ momentBits[0]!) ^ momentBits[1]!);
    }
    state = (state + STEP) >>> 0;
    return numberOf(state);
  };
}

/** Neighbours become strangers (the finalizer of MurmurHash3). */
function mixed(bits: number): number {
  let h = bits;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Draws from one generator. */
export class Dice {
  readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  /** At least `from`, below `to`. */
  between(from: number, to: number): number {
    return from + (to - from) * this.random();
  }

  /** As `between`, with small values as likely as large ones: for what spans magnitudes. */
  magnitude(from: number, to: number): number {
    return from * (to / from) ** this.random();
  }

  /** A whole number of at least 0, below `limit`. */
  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const left = [...list];
    return list.map(() => left.splice(this.below(left.length), 1)[0]!);
  }
}
