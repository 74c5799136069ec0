/** What a transport takes from outside; the node's own environment has the same shape. */
export interface TransportEnvironment {
  /** Calls once, not before `delayMs`; returns a function that cancels it. */
  setTimer(delayMs: number, callback: () => void): () => void;
  /** Calls at the end of this turn of the event loop. */
  defer(callback: () => void): void;
  /** Uniform in [0, 1). */
  random(): number;
}
