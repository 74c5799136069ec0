/** What a run on real processes is told. */
import type { CreateWorkload } from '../workloads/workload.ts';
import type { FaultGroup } from './fault-groups.ts';

export interface RealOptions {
  /** Decides which faults come and what clients do; not the run, which real time has a part in. */
  readonly seed: number;
  readonly workload: CreateWorkload;
  readonly store: 'sqlite' | 'level' | 'memory';
  /** Founding nodes, 3 by default. */
  readonly nodes?: number;
  readonly clients?: number;
  /** How long faults come and go, in ms, all rounds together. */
  readonly faultsMs: number;
  /** After so long the cluster is healed, and has to serve and be equal; then it goes on. */
  readonly roundMs?: number;
  /** All by default. */
  readonly faults?: readonly FaultGroup[];
  /** What a workload's pauses are multiplied by; 4 by default, for some hundred calls a second. */
  readonly pace?: number;
  /** Called now and then with how far it has come. */
  readonly onProgress?: (line: string) => void;
  /** Ends the run early; what came of it until then is judged. */
  readonly signal?: AbortSignal;
}
