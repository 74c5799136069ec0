/** What came of the run, before anything else: the verdict, the contradiction, how to replay it. */
import { outcomeOf, type RunRecord } from '../simulation/run-record.ts';
import { wasCarriedOut } from './fault-text.ts';
import { html, NOTHING, type Html } from './html.ts';
import { sentenceOf } from './words.ts';
import { countText, durationText, plural } from './numbers.ts';

export function verdictSection(record: RunRecord): Html {
  const outcome = outcomeOf(record);
  const harness = record.harness === 'simulation' ? 'Simulation' : 'Real processes';
  return html`<header class="verdict">
    <p class="eyebrow">${harness} · ${record.workload.name} · seed ${record.seed}</p>
    <h1><span class="lamp"></span>${HEADLINES[outcome]}</h1>
    <p class="sentence">${headline(record)}</p>
    <div class="replay">
      <code>${record.replay}</code>
      <button data-go="copy" data-text="${record.replay}">Copy</button>
      ${outcome === 'violation' ? SHOW : NOTHING}
    </div>
    ${facts(record)}
  </header>`;
}

const SHOW = html`<button class="strong" data-go="violation">Show it</button>`;
const HEADLINES = { passed: 'Passed', violation: 'Violation', unknown: 'Unknown' } as const;

/** Of a failure the contradiction; else what held, or what could not be told. */
function headline(record: RunRecord): string {
  if (record.violation !== undefined) return ended(firstLine(record.violation.message));
  for (const { checker, verdict } of record.results) {
    if (verdict.type === 'illegal') return ended(`${checker}: ${verdict.message}`);
  }
  for (const { checker, verdict } of record.results) {
    if (verdict.type === 'unknown') return ended(`${checker}: ${verdict.why}`);
  }
  const faults = plural(record.faults.filter(wasCarriedOut).length, 'fault');
  const { promise } = record.workload;
  return sentenceOf(`${promise}: held under ${faults}`);
}

/** The rest, of an error its stack, stands further down. */
function firstLine(message: string): string {
  return message.split('\n', 1)[0]!;
}

/** Begins as it is: with a key, often. */
function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function facts(record: RunRecord): Html {
  const { history, nodes, faults, messages, durationMs, wallMs, traceHash } = record;
  const count = (type: string): number => history.filter((one) => one.type === type).length;
  const failed = count('fail');
  const open = count('info');
  const happened = faults.filter(wasCarriedOut);
  const kinds = new Set(happened.map(({ fault }) => fault.type));
  const speed = wallMs > 0 ? durationMs / wallMs : 0;
  const terms = Math.max(0, ...nodes.map(({ term }) => term.at(-1)?.[1] ?? 0));
  const list: [string, string, string][] = [
    [
      'Operations',
      countText(history.length),
      `${countText(failed)} failed, ${countText(open)} open`,
    ],
    ['Faults', countText(happened.length), plural(kinds.size, 'kind')],
    ['Nodes', countText(nodes.length), plural(terms, 'term')],
    ['Lasted', durationText(durationMs), `${durationText(wallMs)} of real time`],
  ];
  if (record.harness === 'simulation') {
    const kept = messages.kept.length === messages.sent ? 'all' : countText(messages.kept.length);
    list.push(['Messages', countText(messages.sent), `${kept} kept here`]);
    list.push(['Speed', `${countText(speed)}×`, 'real time']);
  }
  return html`<dl class="facts">
    ${list.map(
      ([name, value, more]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
          <dd class="more">${more}</dd>
        </div> `,
    )}${
      traceHash === null
        ? NOTHING
        : html`<div>
            <dt>Trace</dt>
            <dd class="hash">${traceHash}</dd>
            <dd class="more">same for every replay</dd>
          </div>`
    }
  </dl>`;
}
