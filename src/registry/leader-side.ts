import { encodeCommand } from './codec/command.ts';
import { SessionLeases } from './leases.ts';
import type { RegistryState } from './state.ts';
import type { CommandHeader, RegistryLimits, SessionId } from './types.ts';

/** A proposal that has had no effect after so much cluster time is made again. */
const PROPOSE_AGAIN_MS = 1000;

const HEADER: CommandHeader = {
  session: 0 as SessionId,
  sequence: 0,
  acknowledged: 0,
  node: '',
};

/**
 * What the leader alone does beside applying: it ends sessions that were not kept alive, and has
 * the log say so when it is configured with other limits than those in force. Nodes configured
 * differently refuse each other, so whoever leads speaks for its majority.
 */
export class RegistryLeaderSide {
  readonly leases: SessionLeases;
  /** The state can be replaced by a restore, so it is asked for each time. */
  readonly #state: () => RegistryState;
  readonly #configured: RegistryLimits;
  #leading = false;
  /** Cluster time of the last proposal of limits; none since the election: long ago. */
  #proposedAt = -Infinity;

  constructor(state: () => RegistryState, configured: RegistryLimits) {
    this.leases = new SessionLeases(state);
    this.#state = state;
    this.#configured = configured;
  }

  /**
   * The command that changes the limits, if need be: before any client's, so that what is asked
   * of a cluster that was just started is judged by the limits it was started with.
   */
  opening(): Uint8Array | undefined {
    const wanted = this.#configured;
    const inForce = this.#state().limits;
    const names = Object.keys(wanted) as (keyof RegistryLimits)[];
    if (names.every((name) => wanted[name] === inForce[name])) return undefined;
    return encodeCommand(HEADER, { type: 'setLimits', limits: wanted });
  }

  elected(time: number): void {
    this.deposed();
    this.#leading = true;
    this.leases.elected(time);
  }

  deposed(): void {
    this.#leading = false;
    this.#proposedAt = -Infinity;
    this.leases.deposed();
  }

  query(request: Uint8Array, time: number): Uint8Array {
    return this.leases.query(request, time);
  }

  due(time: number): Uint8Array | undefined {
    return this.#limitsDue(time) ?? this.leases.due(time);
  }

  /** What was said at the opening may not have come to be, or something older came after it. */
  #limitsDue(time: number): Uint8Array | undefined {
    if (!this.#leading || time < this.#proposedAt + PROPOSE_AGAIN_MS) return undefined;
    const command = this.opening();
    if (command !== undefined) this.#proposedAt = time;
    return command;
  }
}
