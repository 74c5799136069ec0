/**
 * The report of a run: one HTML file that needs nothing else, not even a network. It shows what the
 * `RunRecord` says, and nothing that is not in it.
 */
import { writeFile } from 'node:fs/promises';
import { outcomeOf, type RunRecord } from '../simulation/run-record.ts';
import { encodePage } from './encoding.ts';
import { excerptOf } from './excerpt.ts';
import { html, markup, scriptJson, type Html } from './html.ts';
import { drawnOrders } from './orders.ts';
import { pageScript } from './page-script.ts';
import { detailsSection } from './section-details.ts';
import { momentPanel, timelineSection } from './section-timeline.ts';
import { verdictSection } from './section-verdict.ts';
import { BASE_STYLES } from './styles-base.ts';
import { DETAILS_STYLES } from './styles-details.ts';
import { WORKBENCH_STYLES } from './styles-workbench.ts';
import { THEME } from './theme.ts';

/**
 * Writes the report of `record` to `path`, over what is there.
 * @throws Error of the file system
 *
 * @example
 * await writeReport(await runSimulation({ seed: 7 }), 'seed-7.html');
 */
export async function writeReport(record: RunRecord, path: string): Promise<void> {
  await writeFile(path, reportHtml(record));
}

/** The whole page as text. */
export function reportHtml(record: RunRecord): string {
  const page = excerptOf({ record, orders: drawnOrders(record) });
  const data = scriptJson(encodePage(page));
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <title>${titleOf(record)}</title>
        <style>
          ${markup(THEME + BASE_STYLES + WORKBENCH_STYLES + DETAILS_STYLES)}
        </style>
      </head>
      <body class="${outcomeOf(record)}">
        <main>
          ${verdictSection(record)}
          <div class="workbench">${timelineSection(record)} ${momentPanel()}</div>
          ${detailsSection(record, page.record)}
        </main>
        ${footer()}
        <script type="application/json" id="run">
          ${data}
        </script>
        <script>
          ${markup(pageScript())};
        </script>
      </body>
    </html> `.markup;
}

/** The page may run what it carries, and fetch nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

function titleOf(record: RunRecord): string {
  const outcome = { passed: 'Passed', violation: 'Violation', unknown: 'Unknown' };
  return `${outcome[outcomeOf(record)]}: ${record.workload.name}, seed ${record.seed}`;
}

function footer(): Html {
  return html`<footer>
    jepsen-lite. This file carries its data: it can be kept, sent and opened anywhere.
  </footer>`;
}
