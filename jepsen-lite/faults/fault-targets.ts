/** What is there to be hit. */
export interface FaultTargets {
  readonly nodes: readonly string[];
  readonly clients: number;
  /** Faults begin within so many milliseconds. */
  readonly faultsMs: number;
  /** The pace of the cluster: how long it waits for a leader. */
  readonly electionTimeoutMs: number;
  /** Only these kinds; all when absent. */
  readonly kinds?: ReadonlySet<string>;
  /** Clocks may part as they like: nothing that is promised relies on them. */
  readonly clocksMayPart: boolean;
}
