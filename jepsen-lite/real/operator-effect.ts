/** What came of a fault on real processes. */

/** Whom something hit, and how it is undone. */
export interface OperatorEffect {
  readonly targets: readonly string[];
  readonly undo?: () => void;
  readonly note?: string;
}

export const nothing = (why: string): OperatorEffect => ({
  targets: [],
  note: `not carried out: ${why}`,
});
