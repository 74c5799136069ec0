/** What one measurement of three nodes in one process is told, and what it says. */
import type { LoadResult } from '../load/closed-loop.ts';

/**
 * `counter`: a state machine that counts, commands of 8 bytes. `registry`: the registry's state
 * machine, puts of 256 B. Both go to the leader's node directly. `embedded`: `put` of an embedded
 * node's registry, with sockets between the nodes, sessions and all.
 */
export type InProcessKind = 'counter' | 'registry' | 'embedded';

export interface InProcessSpec {
  readonly kind: InProcessKind;
  readonly clients: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface InProcessResult extends LoadResult {
  /** Processor time of the process for one operation, in us; with all that collects garbage. */
  readonly micros: number;
}
