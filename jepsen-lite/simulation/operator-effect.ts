/** What came of something that people did, or tried. */
export interface OperatorEffect {
  readonly targets: readonly string[];
  readonly undo?: () => void;
  readonly note?: string;
}

export const nothing = (why: string): OperatorEffect => ({
  targets: [],
  note: `not carried out: ${why}`,
});
