/** The leader's broadcast counter, and when each round began. A leaf. */

interface TickRounds {
  readonly tick: number;
  readonly firstRound: number;
}

export class RoundClock {
  #round = 0;
  /** One item per tick in which a round began, oldest first. */
  #begun: TickRounds[] = [];
  readonly #memoryTicks: number;

  /** Remembers beginnings for `memoryTicks`. */
  constructor(memoryTicks: number) {
    this.#memoryTicks = memoryTicks;
  }

  /** The newest round. */
  get round(): number {
    return this.#round;
  }

  begin(tick: number): number {
    this.#round++;
    if (this.#begun[this.#begun.length - 1]?.tick !== tick) {
      this.#begun.push({ tick, firstRound: this.#round });
      while (this.#begun[0]!.tick < tick - this.#memoryTicks) this.#begun.shift();
    }
    return this.#round;
  }

  /** The tick `round` began in; -Infinity when that is longer ago than is remembered. */
  tickOf(round: number): number {
    for (let i = this.#begun.length - 1; i >= 0; i--) {
      const begun = this.#begun[i]!;
      if (begun.firstRound <= round) return begun.tick;
    }
    return -Infinity;
  }
}
