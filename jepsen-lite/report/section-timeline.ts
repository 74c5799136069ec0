/** The frame of the timeline; the script fills it. */
import type { RunRecord } from '../simulation/run-record.ts';
import { html, markup, type Html } from './html.ts';
import { kindColors } from './kinds.ts';

export function timelineSection(record: RunRecord): Html {
  const kinds = [...new Set(record.history.map(({ f }) => f))];
  const colors = kindColors(kinds);
  const legend = kinds
    .map((f, i) => ({ f, color: colors[i]! }))
    .toSorted((a, b) => a.color - b.color)
    .map(({ f, color }) => html`<span><i class="kind kind-${color}"></i>${f}</span>`);
  return html`<section class="timeline" id="timeline" aria-label="Timeline">
    <div class="controls">
      <select id="filter-key" aria-label="Key"></select>
      <select id="filter-process" aria-label="Process"></select>
      <select id="filter-node" aria-label="Node"></select>
      <span class="kinds"
        >${legend}<span><i class="kind failed"></i>failed</span
        ><span><i class="kind open"></i>unknown</span></span
      >
      <span class="zoom"
        ><button id="zoom-out" aria-label="Zoom out">−</button
        ><button id="zoom-in" aria-label="Zoom in">+</button><button id="zoom-all">Whole run</button
        ><button id="show-keys" aria-label="Keyboard shortcuts">?</button></span
      >
    </div>
    <div class="canvases">
      <canvas
        id="picture"
        role="img"
        aria-label="Faults, nodes, client operations, latency and rate over
time; the tables below say the same in words"
      ></canvas>
      <canvas id="overlay"></canvas>
      <dl id="tooltip" class="tooltip" hidden></dl>
    </div>
    <noscript
      ><p>
        The timeline is drawn by a script, which this browser does not run. The rest of the report
        needs none.
      </p></noscript
    >
    ${KEYS}
  </section>`;
}

/** All of one moment; filled as the cursor moves. */
export function momentPanel(): Html {
  return html`<aside class="moment" aria-label="One moment">
    <h2>At <span id="moment"></span></h2>
    <table>
      <thead>
        <tr>
          <th>node</th>
          <th>role</th>
          <th class="number">term</th>
          <th class="number">commit</th>
          <th class="number">applied</th>
          <th>disk</th>
        </tr>
      </thead>
      <tbody id="moment-nodes"></tbody>
    </table>
    <h3>Faults then</h3>
    <ul id="moment-faults"></ul>
    <h3>Under way</h3>
    <ul id="moment-operations"></ul>
    <div hidden>
      <h3>Chosen operation</h3>
      <dl id="chosen"></dl>
    </div>
  </aside>`;
}

const SHORTCUTS: readonly (readonly [keys: string, what: string])[] = [
  ['+ −', 'zoom in, out (also Ctrl or Alt and the wheel, a pinch, a double click)'],
  ['a d', 'move left, right (also drag, or scroll sideways)'],
  ['Shift drag', 'zoom to a stretch'],
  ['0', 'the whole run'],
  ['← →', 'scrub; with Shift ten times as far'],
  ['click', 'hold the moment; on an operation, choose it and see its order'],
  ['[ ]', 'one operation back, on, in the order that was found'],
  ['n p', 'next, previous fault'],
  ['v', 'the violation'],
  ['Esc', 'let go of everything'],
];

const KEYS: Html = html`<dialog id="keys">
  <h2>Keys</h2>
  <dl>
    ${SHORTCUTS.map(
      ([keys, what]) =>
        html`<dt>${keys.split(' ').map((key) => html`<kbd>${key}</kbd>${markup(' ')}`)}</dt>
          <dd>${what}</dd>`,
    )}
  </dl>
</dialog>`;
