/** What an object does when one operation is carried out after another. */
import type { Operation } from '../history/operation.ts';

/**
 * A sequential object. States are values: `step` gives another one and changes none. Of an `info`
 * the output is unknown, so `step` says what the state is if it was carried out.
 */
export interface Model<State> {
  readonly name: string;
  /** Undefined when the operation is none of this model's. Equal parts share their state. */
  part(operation: Operation): string | undefined;
  readonly initial: State;
  /** Undefined when the operation cannot have been answered so in this state. */
  step(state: State, operation: Operation): State | undefined;
  /** Equal texts exactly for equal states. */
  textOf(state: State): string;
  /**
   * Equal texts only for calls that lead to the same state from every state, whoever called: of
   * those nobody heard the outcome of, the search need not try every one. Absent: no two are alike.
   */
  kindOf?(operation: Operation): string;
  /**
   * Whether its answer depends on the state, so that it could contradict; every answer when absent.
   * A history with none such proves nothing.
   */
  tells?(operation: Operation): boolean;
  /** What `tells`, in words: `an answered read`. */
  readonly takes?: string;
  /** Whether it leaves every state as it is, so that nobody can tell if it happened. */
  readsOnly(operation: Operation): boolean;
}
