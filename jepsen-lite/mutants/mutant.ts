/**
 * A planted bug: a checker that has never caught anything proves nothing. Texts are those of the
 * build, which is what runs, and what users have.
 */

/** One change of one file of the build. */
export interface Edit {
  /** Path within the build, with `/`: `src/raft/quorum.js`. */
  readonly file: string;
  /** Occurs exactly once in that file. */
  readonly text: string;
  readonly replacement: string;
}

export interface Mutant extends Edit {
  /** Short and unique; `--only` takes it. */
  readonly id: string;
  /** What is wrong with it, in one sentence. */
  readonly breaks: string;
  /** Further changes that the same bug needs. */
  readonly also?: readonly Edit[];
  /** The workload its seeds run; drawn by each seed unless given. */
  readonly workload?: string;
  /** Founding nodes; drawn by each seed unless given. */
  readonly nodes?: number;
  /**
   * Of a bug in the harness itself, how it is noticed: a situation of the *sometimes* counters that
   * is met no more, or tests that fail. Others have to show as a violation.
   */
  readonly noticedBy?: Notice;
}

export type Notice =
  | { readonly type: 'situation'; readonly name: string }
  /** Test files, by their paths within the build. */
  | { readonly type: 'tests'; readonly files: readonly string[] };

export function editsOf(mutant: Mutant): readonly Edit[] {
  const { file, text, replacement } = mutant;
  return [{ file, text, replacement }, ...(mutant.also ?? [])];
}
