/** What help says after the options of a command. */

/** The examples of a command, one a line, for `addHelpText('after', ...)`. */
export function examples(...lines: readonly string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n');
}
