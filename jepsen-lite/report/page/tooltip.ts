/** What is under the pointer, in words. */
import { faultDetail, faultName } from '../fault-text.ts';
import { faultAt } from './draw-faults.ts';
import { messageAt } from './draw-messages.ts';
import { operationAt } from './draw-operations.ts';
import { find, make } from './element.ts';
import { operationRows } from './inspector.ts';
import type { Stage } from './stage.ts';
import { durationText } from '../numbers.ts';

const OFFSET_PX = 14;
/** Above the pointer only where so much is left: the strip stays in sight. */
const ROOM_ABOVE_PX = 120;

type Rows = readonly (readonly [name: string, value: string])[];

export class Tooltip {
  readonly #stage: Stage;
  readonly #element = find('tooltip');

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Shows what is at a point of the canvas, and tells the operation there; -1: none. */
  showAt(x: number, y: number): number {
    const scene = this.#stage.scene();
    const operation = operationAt(scene, x, y);
    const rows = operation >= 0 ? operationRows(this.#stage.run, operation) : this.#other(x, y);
    if (rows === undefined) this.hide();
    else this.#show(rows, x, y);
    return operation;
  }

  hide(): void {
    this.#element.hidden = true;
  }

  #other(x: number, y: number): Rows | undefined {
    const scene = this.#stage.scene();
    const fault = scene.run.record.faults[faultAt(scene, x, y)];
    if (fault !== undefined) {
      const lasted =
        fault.toMs > fault.fromMs ? durationText(fault.toMs - fault.fromMs) : 'at once';
      const rows: [string, string][] = [
        ['fault', faultName(fault.fault)],
        ['hits', fault.targets.join(' ')],
        ['for', lasted],
      ];
      const detail = faultDetail(fault.fault);
      if (detail !== '') rows.push(['how', detail]);
      if (fault.note !== undefined) rows.push(['note', fault.note]);
      return rows;
    }
    const { nodes } = scene.layout;
    if (y < nodes.top || y > nodes.top + nodes.height) return undefined;
    const message = messageAt(this.#stage.messages, x, y);
    if (message === undefined) return undefined;
    const { type, from, to, sentMs, receivedMs, text } = message;
    const end = receivedMs === null ? 'never arrived' : `took ${durationText(receivedMs - sentMs)}`;
    const rows: [string, string][] = [
      ['message', `${type}, ${from} → ${to}`],
      ['sent', `${(sentMs / 1000).toFixed(5)} s, ${end}`],
    ];
    if (text !== undefined) rows.push(['says', text]);
    return rows;
  }

  #show(rows: Rows, x: number, y: number): void {
    const element = this.#element;
    element.replaceChildren(
      ...rows.flatMap(([name, value]) => [make('dt', '', name), make('dd', '', value)]),
    );
    element.hidden = false;
    const { width: room } = this.#stage.layout;
    const { offsetWidth, offsetHeight } = element;
    const left = x + OFFSET_PX + offsetWidth > room ? x - OFFSET_PX - offsetWidth : x + OFFSET_PX;
    element.style.left = `${Math.max(0, left)}px`;
    const isAbove = y > offsetHeight + ROOM_ABOVE_PX;
    element.style.top = `${isAbove ? y - OFFSET_PX - offsetHeight : y + OFFSET_PX}px`;
  }
}
