/** The panel that tells all of one moment: every node, what is broken, what is under way. */
import { faultDetail, faultName, FAULT_FAMILIES } from '../fault-text.ts';
import type { NodeTimeline } from '../../simulation/run-record.ts';
import { operationText } from './draw-operations.ts';
import { find, make } from './element.ts';
import type { Run } from './run.ts';
import { countBelow, valueAt } from './search.ts';
import { countText, durationText, valueText } from '../numbers.ts';

const MOST_OPEN = 12;

export class Inspector {
  readonly #run: Run;
  readonly #choose: (operation: number) => void;
  readonly #cells: readonly (readonly HTMLElement[])[];
  readonly #time = find('moment');
  readonly #faults = find('moment-faults');
  readonly #open = find('moment-operations');
  readonly #chosen = find('chosen');

  constructor(run: Run, choose: (operation: number) => void) {
    this.#run = run;
    this.#choose = choose;
    const body = find('moment-nodes');
    this.#cells = run.record.nodes.map(({ node }) => {
      const cells = ['role', 'number', 'number', 'number', 'disk'].map((name) => make('td', name));
      body.append(make('tr', '', make('th', '', node), ...cells));
      return cells;
    });
  }

  /** Shows this moment; cheap enough for every frame. */
  show(atMs: number, selected: number): void {
    this.#time.textContent = `${(atMs / 1000).toFixed(4)} s`;
    this.#run.record.nodes.forEach((timeline, i) => {
      showNode(timeline, atMs, this.#cells[i]!);
    });
    this.#faults.replaceChildren(...this.#faultsAt(atMs));
    this.#open.replaceChildren(...this.#operationsAt(atMs));
    this.#showChosen(selected);
  }

  #faultsAt(atMs: number): HTMLElement[] {
    const active = this.#run.record.faults.filter(
      ({ fromMs, toMs }) => fromMs <= atMs && atMs <= Math.max(toMs, fromMs),
    );
    if (active.length === 0) return [make('li', 'none', 'none')];
    return active.map(({ fault, targets }) => {
      const dot = make('i', `dot ${FAULT_FAMILIES[fault.type]}`);
      const detail = faultDetail(fault);
      const more = detail === '' ? '' : ` (${detail})`;
      return make('li', '', dot, `${faultName(fault)}: ${targets.join(' ')}${more}`);
    });
  }

  #operationsAt(atMs: number): HTMLElement[] {
    const items: HTMLElement[] = [];
    for (const { operations } of this.#run.rows) {
      const at = countBelow(operations.length, atMs, (i) => this.#run.endMs[operations[i]!]!);
      const i = operations[at];
      if (i === undefined || this.#run.callMs[i]! > atMs || items.length >= MOST_OPEN) continue;
      const operation = this.#run.record.history[i]!;
      const name = make('span', 'who', String(operation.process));
      const button = make('button', 'link', operationText(operation, true));
      button.addEventListener('click', () => this.#choose(i));
      items.push(make('li', operation.type, name, button));
    }
    return items.length === 0 ? [make('li', 'none', 'none')] : items;
  }

  #showChosen(selected: number): void {
    if (this.#chosen.dataset['operation'] === String(selected)) return;
    this.#chosen.dataset['operation'] = String(selected);
    this.#chosen.parentElement!.hidden = selected < 0;
    if (selected < 0) return;
    const rows = operationRows(this.#run, selected).flatMap(([name, value]) => [
      make('dt', '', name),
      make('dd', '', value),
    ]);
    this.#chosen.replaceChildren(...rows);
  }
}

function showNode(timeline: NodeTimeline, atMs: number, cells: readonly HTMLElement[]): void {
  const life = valueAt(timeline.life, atMs) ?? 'down';
  const role = life === 'up' ? (valueAt(timeline.role, atMs) ?? 'follower') : life;
  const disk = valueAt(timeline.disk, atMs) ?? 'ok';
  const texts = [
    role === 'preCandidate' ? 'pre-candidate' : role,
    countText(valueAt(timeline.term, atMs) ?? 0),
    countText(valueAt(timeline.commit, atMs) ?? 0),
    countText(valueAt(timeline.applied, atMs) ?? 0),
    disk,
  ];
  texts.forEach((text, i) => {
    if (cells[i]!.textContent !== text) cells[i]!.textContent = text;
  });
  cells[0]!.className = `role ${role}`;
  cells[4]!.className = disk === 'ok' ? 'disk ok' : 'disk bad';
}

/** An operation, field by field. */
export function operationRows(run: Run, i: number): [name: string, value: string][] {
  const { process, f, key, value, output, type, error, revision, node } = run.record.history[i]!;
  const rows: [string, string][] = [['called', `${f}${key === undefined ? '' : ` ${key}`}`]];
  if (value !== undefined && value !== null) rows.push(['with', valueText(value, 200)]);
  if (type === 'ok') rows.push(['answered', valueText(output ?? null, 200)]);
  else rows.push(['ended', type === 'fail' ? 'failed: it had no effect' : 'outcome unknown']);
  if (error !== undefined) rows.push(['error', error]);
  const tookMs = run.returnMs[i]! - run.callMs[i]!;
  const end = tookMs === Infinity ? 'never returned' : `took ${durationText(tookMs)}`;
  rows.push(['at', `${(run.callMs[i]! / 1000).toFixed(6)} s, ${end}`]);
  rows.push(['process', String(process)]);
  if (node !== undefined) rows.push(['node', node]);
  if (revision !== undefined) rows.push(['revision', countText(revision)]);
  const place = run.placeInPath[i]!;
  if (place >= 0) {
    const { part, operations } = run.paths[run.pathOf[i]!]!.order;
    const of = `${countText(place + 1)} of ${countText(operations.length)}`;
    rows.push(['order', part === '' ? of : `${of} of ${part}`]);
  } else if (run.accused.has(i)) {
    rows.push(['order', 'no place: see the violation']);
  }
  return rows;
}
