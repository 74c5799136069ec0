import type { ByteString, SessionId } from '../registry/index.ts';

/** One local caller's part in a place in a queue. */
export interface Claim {
  /** Gives it up; nothing is to be undone on the cluster. */
  leave(): void;
  /**
   * Gives it up and, when it was the last one, runs `undo` on the cluster. Whoever enters the same
   * place meanwhile waits until that is over.
   */
  leaveAfter(undo: () => Promise<void>): void;
  /** Whoever enters the same place waits until `release` is over, however it ends. */
  releasing(release: Promise<void>): void;
}

interface Spot {
  claims: number;
  leaving: Promise<void> | undefined;
}

/**
 * A session has one place in a lock's queue, however many callers here wait for it. So the place is
 * given up only with the last of them, and never while another is being given it.
 */
export class LockClaims {
  readonly #spots = new Map<string, Spot>();

  /** Waits while the place is being given up. */
  async enter(name: ByteString, session: SessionId): Promise<Claim> {
    const id = `${session}:${name}`;
    for (;;) {
      const claim = this.#enter(id);
      if (claim !== undefined) return claim;
      await this.#spots.get(id)?.leaving;
    }
  }

  /** Undefined while the place is being given up. */
  enterNow(name: ByteString, session: SessionId): Claim | undefined {
    return this.#enter(`${session}:${name}`);
  }

  #enter(id: string): Claim | undefined {
    let spot = this.#spots.get(id);
    if (spot?.leaving !== undefined) return undefined;
    if (spot === undefined) {
      spot = { claims: 0, leaving: undefined };
      this.#spots.set(id, spot);
    }
    spot.claims++;
    return this.#claim(id, spot);
  }

  #claim(id: string, spot: Spot): Claim {
    let active = true;
    const drop = (): boolean => {
      if (!active) return false;
      active = false;
      spot.claims--;
      return spot.claims === 0;
    };
    const forget = (): void => {
      if (this.#spots.get(id) === spot && spot.claims === 0) this.#spots.delete(id);
    };
    const closeWhile = (work: Promise<void>): void => {
      const settled = async (): Promise<void> => {
        await work.catch(() => undefined);
        if (spot.leaving === over) spot.leaving = undefined;
        forget();
      };
      const over = settled();
      spot.leaving = over;
    };
    return {
      leave: () => {
        if (drop()) forget();
      },
      leaveAfter: (undo) => {
        if (drop()) closeWhile(undo());
      },
      releasing: (release) => closeWhile(release),
    };
  }
}
