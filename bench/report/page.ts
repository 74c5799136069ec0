/** Results as one HTML page that needs nothing else. */
import type { Environment } from '../environment.ts';
import { describe } from '../environment.ts';
import type { Row } from '../measure/figures.ts';
import type { Family } from '../rows/family.ts';
import { FAMILIES } from '../rows/families.ts';
import { chartsOf } from './charts.ts';
import { GOALS, verdictOf } from './goals.ts';
import { escapeHtml } from './plot.ts';
import { cellsOf, goalCells, titlesOf } from './table.ts';

/** What `--json` writes, and the page shows. */
export interface Results {
  readonly environment: Environment;
  readonly runs: number;
  readonly measureMs: number;
  readonly rows: readonly Row[];
  readonly failures: readonly string[];
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2024; --paper: #fcfcfb; --faint: #8884; --good: #18794e;
  --fair: #946800; --bad: #cd2b31; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e6; --paper: #16181a; --good: #4cc38a;
  --fair: #e2a336; --bad: #ff8589; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }
pre { font-size: 12px; overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 2px 10px; text-align: right; border-bottom: 1px solid var(--faint); }
th { font-weight: 600; }
td:first-child, th:first-child, .names td:nth-child(2) { text-align: left; }
.wide { overflow-x: auto; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(430px, 1fr));
  gap: 8px 24px; }
svg { width: 100%; height: auto; }
svg text { fill: currentColor; font: 11px system-ui, sans-serif; }
svg .title { font-weight: 600; font-size: 13px; }
svg .grid { stroke: var(--faint); stroke-width: 1; }
.goal { color: var(--good); } .must { color: var(--fair); } .missed { color: var(--bad); }
nav a { margin-right: 1em; }
`;

export function page(results: Results): string {
  const { environment, runs, measureMs, rows, failures } = results;
  const families = FAMILIES.filter(({ name }) => rows.some((row) => row.family === name));
  const links = families.map(({ name }) => `<a href="#${name}">${escapeHtml(name)}</a>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast: bench</title><style>${STYLE}</style></head><body>
<h1>Holdfast: bench</h1>
<p>${escapeHtml(environment.date)}; medians of ${runs} runs in turns, ${measureMs / 1000} s a point.
Ratios are of runs in the same turn; figures of another machine do not compare.</p>
<pre>${escapeHtml(describe(environment))}</pre>
<nav>${links.join('')}</nav>
${failures.length === 0 ? '' : failed(failures)}
${goals(rows)}
${families.map((family) => section(family, rows)).join('\n')}
</body></html>
`;
}

function failed(failures: readonly string[]): string {
  const items = failures.map((failure) => `<li>${escapeHtml(failure)}</li>`);
  return `<h2>Failed</h2><ul class="missed">${items.join('')}</ul>`;
}

function goals(rows: readonly Row[]): string {
  const lines = GOALS.map((goal) => {
    const verdict = verdictOf(goal, goal.measured(rows));
    const cells = goalCells(goal, rows).map((cell) => `<td>${escapeHtml(cell)}</td>`);
    return `<tr class="${verdict.replace(' ', '-')}">${cells.join('')}</tr>`;
  });
  const titles = ['', 'measured', 'must', 'goal', 'reached'].map((title) => `<th>${title}</th>`);
  const table = `<table><tr>${titles.join('')}</tr>${lines.join('')}</table>`;
  return `<h2>Goals</h2><div class="wide">${table}</div>`;
}

function section(family: Family, rows: readonly Row[]): string {
  const titles = titlesOf(family).map((title) => `<th>${escapeHtml(title)}</th>`);
  const lines = rows
    .filter((row) => row.family === family.name)
    .map((row) => cellsOf(family, rows, row).map((cell) => `<td>${escapeHtml(cell)}</td>`));
  const body = lines.map((cells) => `<tr>${cells.join('')}</tr>`).join('');
  return `<h2 id="${family.name}">${escapeHtml(family.name)}</h2>
<p>${escapeHtml(family.about)}</p>
<div class="wide"><table class="names"><tr>${titles.join('')}</tr>${body}</table></div>
<div class="plots">${chartsOf(family, rows).join('\n')}</div>`;
}
