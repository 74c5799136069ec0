/** What came of planted bugs, as a page in Markdown. */
import { seconds, summaryLine, summaryOf } from './kill-table.ts';
import type { MutantResult } from './outcome.ts';

/** Where and how the runs were made. */
export interface Circumstances {
  /** The date, as in 2026-01-31. */
  readonly date: string;
  readonly machine: string;
  readonly command: string;
}

/** The results of one kind of bugs. */
interface Section {
  readonly kind: MutantResult['noticedBy'];
  readonly title: string;
  readonly text: string;
}

const SECTIONS: readonly Section[] = [
  {
    kind: 'violation',
    title: 'Bugs in what is tested',
    text: `Each seed is a run in which faults come and go, beginning with seed 1, until one shows a
violation that the same seed does not show without the bug. Faults and operations are what was left
of that run once all was left out that is not needed. Where there are none, the process died.`,
  },
  {
    kind: 'situation',
    title: 'Faults that do nothing',
    text: 'They are noticed by a situation that comes about no more.',
  },
  {
    kind: 'tests',
    title: 'Checks that look away',
    text: 'Tests notice them: a check that finds nothing any more fails one at least.',
  },
];

const COLUMNS = [
  'mutant',
  'what it breaks',
  'found by',
  'seeds',
  'simulated s',
  'core s',
  'wall s',
  'faults',
  'operations',
  'nodes',
];
const LEFT_COLUMNS = 3;

/** The whole page. */
export function killPage(results: readonly MutantResult[], how: Circumstances): string {
  const { date, machine, command } = how;
  const sections = SECTIONS.flatMap((section) => {
    const ofKind = results.filter(({ noticedBy }) => noticedBy === section.kind);
    return ofKind.length === 0 ? [] : [sectionText(section, ofKind)];
  });
  return `# Mutants

A checker that has never caught anything proves nothing: bugs are planted, one at a time, in a copy
of the build, and each has to be found. This page was written by
\`${command}\` on ${date} (${machine}).

${sections.join('\n')}`;
}

function sectionText({ kind, title, text }: Section, results: readonly MutantResult[]): string {
  const table = kind === 'tests' ? testsTable(results) : markdownTable(results);
  return `## ${title}\n\n${text}\n\n${summaryLine(summaryOf(results))}.\n\n${table}\n`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function markdownTable(results: readonly MutantResult[]): string {
  const rule = COLUMNS.map((_, at) => (at < LEFT_COLUMNS ? '---' : '--:'));
  return [row(COLUMNS), row(rule), ...results.map((result) => row(cellsOf(result)))].join('\n');
}

function cellsOf({ id, breaks, outcome }: MutantResult): readonly string[] {
  const name = `\`${id}\``;
  if (outcome.type === 'skipped') return [name, breaks, 'skipped', '', '', '', '', '', '', ''];
  const { seeds, simulatedMs, cpuMs, wallMs } = outcome;
  const cost = [String(seeds), seconds(simulatedMs), seconds(cpuMs), seconds(wallMs)];
  if (outcome.type === 'survived') return [name, breaks, '**survived**', ...cost, '', '', ''];
  const { small } = outcome.run ?? {};
  const size =
    small === undefined
      ? ['', '', '']
      : [small.faults, small.operations, small.nodes].map((count) => String(count));
  return [name, breaks, outcome.check, ...cost, ...size];
}

/** By the first part of the id, which names the file or the group. */
function testsTable(results: readonly MutantResult[]): string {
  const groups = new Map<string, MutantResult[]>();
  for (const result of results) {
    const name = result.id.split(':')[0]!;
    groups.set(name, [...(groups.get(name) ?? []), result]);
  }
  const rows = [...groups].map(([name, group]) => {
    const killed = group.filter(({ outcome }) => outcome.type === 'killed').length;
    const left = group.filter(({ outcome }) => outcome.type !== 'killed').map(({ id }) => id);
    const wallMs = group.reduce(
      (sum, { outcome }) => sum + (outcome.type === 'skipped' ? 0 : outcome.wallMs),
      0,
    );
    return row([`\`${name}\``, `${killed} of ${group.length}`, left.join(', '), seconds(wallMs)]);
  });
  const head = ['group', 'found', 'not found', 'wall s'];
  return [row(head), row(['---', '--:', '---', '--:']), ...rows].join('\n');
}
