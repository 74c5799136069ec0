/** The contract between a node and what it replicates. */

export interface ApplyContext {
  /** Log index of the command; grows, with gaps. */
  readonly index: number;
  readonly term: number;
  /** Cluster time in ms: the only clock a state machine may use. Never goes back. */
  readonly time: number;
}

/**
 * What a leader's state machine may keep beside the replicated state: volatile, empty on every
 * other node, begun anew with each leadership. The registry keeps its session leases here.
 */
export interface LeaderSide {
  /**
   * What is to stand in the log before any other command of this leadership, if anything. Asked at
   * its beginning, when not all that is committed may have been applied here: it is for `due` to
   * make sure. Absent: nothing.
   */
  opening?(): Uint8Array | undefined;
  /** This node leads and has applied everything committed before it did. */
  elected(time: number): void;
  /** No longer leading: forget everything. */
  deposed(): void;
  /** Asked only after leadership was confirmed by a quorum since the request arrived. */
  query(request: Uint8Array, time: number): Uint8Array;
  /** A command to propose now because something is due at `time`, or undefined. */
  due(time: number): Uint8Array | undefined;
}

/**
 * A deterministic state machine. Every replica applies the same commands in the same order, so
 * `apply` may use nothing but the state, the command and the context: no clock, no randomness, no
 * I/O, no iteration order that depends on memory. It never throws: a bad command gets an error
 * result of the machine's own making. Should it throw all the same, the node answers the caller
 * with `invalid-command`, leaves the log entry applied as a no-op on every replica, and goes on.
 */
export interface StateMachine {
  /** Applies one command and returns its result. */
  apply(command: Uint8Array, context: ApplyContext): Uint8Array;
  /**
   * The same where nobody waits for the result, as on most followers: for machines to which making
   * it is work. Absent: `apply`.
   */
  applyUnanswered?(command: Uint8Array, context: ApplyContext): void;
  /** Answers a read from the state as it is. What it throws is what the caller gets. */
  query(request: Uint8Array): Uint8Array;
  /**
   * Cuts the state as it is now; the chunks are read later, while `apply` goes on, and must show
   * the state at the cut. The same state gives the same bytes on every replica. Chunks of at most 1
   * MiB.
   */
  snapshot(): AsyncIterable<Uint8Array>;
  /**
   * About how many bytes a snapshot of the state would have now; follows from the state alone, and
   * is asked after each entry. The larger it is, the more log lies between two snapshots, or it
   * would be written over and over. Absent: 0.
   */
  readonly snapshotBytes?: number | undefined;
  /** Replaces the whole state. When it rejects, the state is undefined and the node stops. */
  restore(chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * What every replica must be given alike because `apply` depends on it, one `name=value` a line.
   * Nodes whose texts differ refuse each other, naming the lines that do. Absent: nothing.
   */
  readonly configuration?: string | undefined;
  /** Only when the machine has a leader-only side. */
  readonly leaderSide?: LeaderSide | undefined;
}
