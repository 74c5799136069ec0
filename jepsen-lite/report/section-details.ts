/** All that is no timeline: checks, counters, what was not tested, faults, configuration. */
import { unreachable } from '../../src/base/unreachable.ts';
import { describeOperation } from '../history/describe.ts';
import type { CheckResult, RunRecord } from '../simulation/run-record.ts';
import { FAULT_FAMILIES, faultDetail, faultName } from './fault-text.ts';
import { html, NOTHING, type Html } from './html.ts';
import { countText, durationText, plural, secondsText } from './numbers.ts';
import { settingText, situationText } from './words.ts';
import { untestedOf } from './untested.ts';

/** Longer lists are cut, and say so. */
const MOST_ROWS = 200;

/** `shown`: the record as the timeline has it, which links lead into. */
export function detailsSection(record: RunRecord, shown: RunRecord): Html {
  return html`${contradiction(shown)}
    <div class="details">
      ${checks(record)} ${untested(record, shown.history.length)} ${counters(record)}
      ${configuration(record)} ${faults(record)}
    </div>`;
}

function contradiction({ violation, history }: RunRecord): Html {
  if (violation === undefined) return NOTHING;
  const { check, message, atMs, nodes, operations } = violation;
  const rows = operations.slice(0, MOST_ROWS).flatMap((place) => {
    const operation = history[place];
    if (operation === undefined) return [];
    const text = describeOperation(operation);
    return [
      html`<li>
        <button class="link" data-go="operation" data-place="${place}">${text}</button>
      </li> `,
    ];
  });
  const rest = message.split('\n').slice(1).join('\n');
  const where = nodes.length > 0 ? `, on ${nodes.join(' and ')}` : '';
  const about = rows.length > 0 ? ' The operations it is about, by their calls:' : '';
  return html`<section class="contradiction">
    <h2>The contradiction</h2>
    <p class="lead">Found by <b>${check}</b> at ${secondsText(atMs)}${where}.${about}</p>
    ${rest === '' ? NOTHING : html`<pre>${rest}</pre>`}
    <ol>
      ${rows}
    </ol>
  </section>`;
}

function checks({ results }: RunRecord): Html {
  return html`<section class="wide">
    <h2>Checks</h2>
    <table>
      <thead>
        <tr>
          <th>checker</th>
          <th>promise</th>
          <th>verdict</th>
        </tr>
      </thead>
      <tbody>
        ${results.map(
          (result) =>
            html`<tr>
              <th>${result.checker}</th>
              <td>${result.promise}</td>
              <td class="verdict-${result.verdict.type}">${verdictText(result)}</td>
            </tr> `,
        )}
      </tbody>
    </table>
  </section>`;
}

function verdictText({ verdict }: CheckResult): Html {
  switch (verdict.type) {
    case 'ok': {
      const counts = Object.entries(verdict.checked)
        .map(([name, count]) => plural(count, name.replace(/s$/, ''), name))
        .join(', ');
      return html`<b>held</b> <span class="more">${verdict.how}: ${counts}</span>`;
    }
    case 'illegal':
      return html`<b>violated</b> <span class="more">${verdict.message}</span>`;
    case 'unknown':
      return html`<b>unknown</b> <span class="more">${verdict.why}</span>`;
    default:
      return unreachable(verdict);
  }
}

function untested(record: RunRecord, shown: number): Html {
  const sentences = untestedOf(record);
  if (shown < record.history.length) {
    const [some, all] = [countText(shown), countText(record.history.length)];
    sentences.push(`The timeline shows ${some} of ${all} operations; all of them were checked.`);
  }
  return html`<section>
    <h2>What was not tested</h2>
    <ul class="plain">
      ${sentences.map((sentence) => html`<li>${sentence}</li> `)}
    </ul>
  </section>`;
}

function counters({ sometimes }: RunRecord): Html {
  const entries = Object.entries(sometimes).toSorted((a, b) => b[1] - a[1]);
  const met = entries.filter(([, count]) => count > 0);
  const most = Math.max(1, ...met.map(([, count]) => count));
  const width = (count: number): string => ((100 * Math.sqrt(count / most)) | 0).toString();
  return html`<section>
    <h2>Sometimes</h2>
    <p class="lead">
      What a run should meet now and then: ${met.length} of ${entries.length} came about. The length
      of a bar is the root of the count.
    </p>
    <table class="counters">
      <tbody>
        ${met.map(
          ([name, count]) =>
            html`<tr>
              <th>${situationText(name)}</th>
              <td class="bar"><i style="width:${width(count)}%"></i></td>
              <td class="number">${countText(count)}</td>
            </tr> `,
        )}
      </tbody>
    </table>
  </section>`;
}

function configuration(record: RunRecord): Html {
  const drawn = Object.entries(record.configuration).map(
    ([name, value]) =>
      html`<dt>${name}</dt>
        <dd>${settingText(value)}</dd> `,
  );
  const phases = record.phases.map(
    ({ name, fromMs, toMs }) =>
      html`<dt>phase ${name}</dt>
        <dd>${secondsText(fromMs)} to ${secondsText(toMs)}</dd> `,
  );
  return html`<section>
    <h2>Configuration</h2>
    <dl class="settings">
      ${drawn}${phases}
      <dt>messages kept</dt>
      <dd>${record.messages.choice}</dd>
    </dl>
  </section>`;
}

function faults(record: RunRecord): Html {
  const shown = record.faults.slice(0, MOST_ROWS);
  const rest = record.faults.length - shown.length;
  return html`<section class="wide">
    <h2>Faults</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Faults">
      <table class="faults">
        <thead>
          <tr>
            <th>from</th>
            <th>for</th>
            <th>fault</th>
            <th>hits</th>
            <th>how</th>
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            ({ fault, targets, fromMs, toMs, note }, place) =>
              html`<tr>
                <td class="number">
                  <button class="link" data-go="fault" data-place="${place}">
                    ${secondsText(fromMs)}
                  </button>
                </td>
                <td class="number">${toMs > fromMs ? durationText(toMs - fromMs) : 'at once'}</td>
                <td><i class="dot ${FAULT_FAMILIES[fault.type]}"></i>${faultName(fault)}</td>
                <td>${targets.join(' ')}</td>
                <td class="more">
                  ${[faultDetail(fault), note ?? ''].filter((text) => text !== '').join('; ')}
                </td>
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    ${rest > 0 ? html`<p class="lead">${countText(rest)} more are in the timeline.</p>` : NOTHING}
  </section>`;
}
