/** Comparing what replicas were configured with; see `StateMachine.configuration`. */

const ABSENT = 'nothing';
/** A peer may send anything: a message for people names no more than these. */
const MAX_DIFFERENCES = 8;
const MAX_SHOWN_CHARS = 200;

export interface DifferingLine {
  readonly here: string;
  readonly there: string;
}

/** The lines of which only one side has the name, or whose values differ; the first of them. */
export function differingLines(here: string, there: string): DifferingLine[] {
  if (here === there) return [];
  const [ours, theirs] = [linesByName(here), linesByName(there)];
  const names = [...new Set([...ours.keys(), ...theirs.keys()])].toSorted();
  return names
    .filter((name) => ours.get(name) !== theirs.get(name))
    .slice(0, MAX_DIFFERENCES)
    .map((name) => ({ here: ours.get(name) ?? ABSENT, there: theirs.get(name) ?? ABSENT }));
}

/** Each line by what stands before its `=`. */
function linesByName(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => [nameOf(line), line.slice(0, MAX_SHOWN_CHARS)]));
}

function nameOf(line: string): string {
  const at = line.indexOf('=');
  return at < 0 ? line : line.slice(0, at);
}
