/** Chance from seeds: the same numbers for the same seed, on every machine. */

/** Numbers of at least 0, below 1, from a generator with a 32-bit state (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A generator of its own for each purpose, so that one more number drawn for the one changes
 * nothing for the others.
 */
export function randomFor(seed: number, purpose: string): () => number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < purpose.length; i++) {
    hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x01000193);
  }
  return createRandom(hash ^ Math.imul(seed + 1, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32));
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
