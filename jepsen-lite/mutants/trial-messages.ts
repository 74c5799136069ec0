/** What the runner and the process of a trial say to each other. */
import type { Wishes } from '../simulation/configuration.ts';
import type { PlantedSources } from './planting.ts';

export interface SimulationTrial {
  readonly type: 'simulate';
  readonly sources: PlantedSources;
  readonly wishes: Wishes;
}

/** The process ends with 0 when all tests pass. */
export interface TestTrial {
  readonly type: 'tests';
  readonly sources: PlantedSources;
  /** URLs. */
  readonly files: readonly string[];
}

/** To the process: first what it is there for, then what to do next. */
export type ToTrial =
  | SimulationTrial
  | TestTrial
  | { readonly type: 'run'; readonly seed: number }
  /** Make the last run small, which had a violation. */
  | { readonly type: 'shrink'; readonly forMs: number };

/** What is told of a run. */
export interface RunReport {
  readonly type: 'ran';
  readonly seed: number;
  readonly workload: string;
  readonly nodes: number;
  readonly faults: number;
  readonly operations: number;
  readonly simulatedMs: number;
  /** What it cost of one core. */
  readonly cpuMs: number;
  readonly sometimes: Readonly<Record<string, number>>;
  readonly violation: { readonly check: string; readonly message: string } | undefined;
}

export interface ShrinkReport {
  readonly type: 'shrunk';
  readonly faults: number;
  readonly operations: number;
  readonly nodes: number;
  readonly message: string;
}

/** From the process. */
export type FromTrial = { readonly type: 'ready' } | RunReport | ShrinkReport;
