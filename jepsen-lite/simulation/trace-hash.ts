/** A rolling hash of everything that happens: equal for a run and its rerun, or time leaked in. */
export class TraceHash {
  #a = 0x9e3779b9;
  #b = 0x85ebca6b;

  /** Any number; of fractions what fits beside them. */
  add(value: number): void {
    const low = value | 0;
    const high = (value / 2 ** 32 + (value - Math.trunc(value)) * 2 ** 31) | 0;
    this.#a = Math.imul(this.#a ^ low, 0x01000193) ^ (this.#b >>> 15);
    this.#b = Math.imul(this.#b ^ high ^ (low << 7), 0x27d4eb2f) ^ (this.#a >>> 13);
  }

  text(): string {
    return hex(this.#a) + hex(this.#b);
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
