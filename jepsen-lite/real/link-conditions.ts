/** How the bytes of one direction fare; changed while they are on their way. */

interface Weather {
  /** Longest delay of a piece; order is kept. */
  readonly delayMs: number;
  /** Probability that a piece of what is read breaks the connection in its middle. */
  readonly loss: number;
  /** Probability that a bit of it is flipped. */
  readonly corrupt: number;
}

const FAIR: Weather = { delayMs: 0, loss: 0, corrupt: 0 };

export class LinkConditions {
  /** A cut holds bytes back, as a network does whose packets are sent again and again. */
  #cuts = 0;
  #slowMs = 0;
  #weather = FAIR;
  #bytesPerMs = Infinity;
  readonly #listeners = new Set<() => void>();

  get isCut(): boolean {
    return this.#cuts > 0;
  }

  get slowMs(): number {
    return this.#slowMs;
  }

  get weather(): Weather {
    return this.#weather;
  }

  get bytesPerMs(): number {
    return this.#bytesPerMs;
  }

  /** Cuts may overlap: what was cut twice is healed twice. */
  cut(): void {
    this.#cuts += 1;
  }

  heal(): void {
    this.#cuts = Math.max(0, this.#cuts - 1);
    this.#changed();
  }

  /** Every piece comes so much later. */
  slow(delayMs: number, bytesPerMs: number = Infinity): void {
    this.#slowMs = delayMs;
    this.#bytesPerMs = bytesPerMs;
    this.#changed();
  }

  /** Undefined: fair. */
  setWeather(weather: Weather | undefined): void {
    this.#weather = weather ?? FAIR;
    this.#changed();
  }

  healAll(): void {
    this.#cuts = 0;
    this.#weather = FAIR;
    this.slow(0);
  }

  /** Returns what ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
