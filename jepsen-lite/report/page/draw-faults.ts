/** Faults: a bar each at the top, and a tint on what they hit. */
import { FAULT_FAMILIES, faultName } from '../fault-text.ts';
import type { InjectedFault } from '../../simulation/run-record.ts';
import { GUTTER, NODE_HEIGHT, type Band } from './layout.ts';
import { clipped, fitted, heading, xOf, type Scene } from './scene.ts';

/** What happens at once is drawn this wide. */
const LEAST_PX = 3;
/** Labels want so much room. */
const LABEL_PX = 38;

export function drawFaultBars(scene: Scene): void {
  const { context, run, layout, theme } = scene;
  heading(scene, 'Faults', layout.faults.top + 12);
  clipped(scene, () => {
    context.font = `10.5px ${theme.text}`;
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    run.record.faults.forEach((injected, i) => {
      const place = placeOf(scene, injected);
      if (place === undefined) return;
      const { left, width } = place;
      const top = layout.faults.top + layout.faultRows[i]! * layout.faultRow;
      context.globalAlpha = isDimmed(scene, injected) ? 0.25 : 1;
      context.fillStyle = theme.families[FAULT_FAMILIES[injected.fault.type]];
      if (injected.toMs <= injected.fromMs) {
        drawMark(context, left, top + 7);
      } else {
        context.beginPath();
        context.roundRect(left, top, width, layout.faultRow - 3, 3);
        context.fill();
        drawLabel(scene, injected, left, width, top + 7.5);
      }
      context.globalAlpha = 1;
    });
  });
}

function drawLabel(
  { context, theme, layout }: Scene,
  { fault, targets }: InjectedFault,
  left: number,
  width: number,
  y: number,
): void {
  const from = Math.max(left, GUTTER) + 5;
  const room = Math.min(left + width, layout.width) - from - 3;
  if (room < LABEL_PX) return;
  const whole = `${faultName(fault)} · ${targets.join(' ')}`;
  const text = context.measureText(whole).width <= room ? whole : faultName(fault);
  context.fillStyle = theme.onAccent;
  context.fillText(fitted(context, text, room), from, y);
}

function drawMark(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.beginPath();
  context.moveTo(x, y - 5);
  context.lineTo(x + 4.5, y);
  context.lineTo(x, y + 5);
  context.lineTo(x - 4.5, y);
  context.fill();
}

/** Behind the lanes of the nodes that were hit. */
export function drawFaultTints(scene: Scene): void {
  const { context, run, layout, theme } = scene;
  const rows = new Map(run.record.nodes.map(({ node }, i) => [node, i]));
  clipped(scene, () => {
    for (const injected of run.record.faults) {
      const place = placeOf(scene, injected);
      if (place === undefined) continue;
      context.fillStyle = theme.families[FAULT_FAMILIES[injected.fault.type]];
      context.globalAlpha = 0.1;
      for (const target of injected.targets) {
        const row = rows.get(target);
        if (row === undefined) continue;
        const top = layout.nodes.top + row * NODE_HEIGHT;
        context.fillRect(place.left, top + 1, place.width, NODE_HEIGHT - 3);
      }
      context.globalAlpha = 1;
    }
  });
}

/** Behind a plot: all faults, whomever they hit. */
export function drawFaultBands(scene: Scene, band: Band): void {
  const { context, run, theme } = scene;
  clipped(scene, () => {
    context.globalAlpha = 0.09;
    for (const injected of run.record.faults) {
      const place = placeOf(scene, injected);
      if (place === undefined) continue;
      context.fillStyle = theme.families[FAULT_FAMILIES[injected.fault.type]];
      context.fillRect(place.left, band.top, place.width, band.height);
    }
    context.globalAlpha = 1;
  });
}

/** The fault whose bar is at a point of the canvas; -1: none. */
export function faultAt(scene: Scene, x: number, y: number): number {
  const { run, layout } = scene;
  const row = Math.floor((y - layout.faults.top) / layout.faultRow);
  return run.record.faults.findLastIndex((injected, i) => {
    if (layout.faultRows[i] !== row) return false;
    const place = placeOf(scene, injected);
    return place !== undefined && x >= place.left - 4 && x <= place.left + place.width + 4;
  });
}

function placeOf(
  scene: Scene,
  { fromMs, toMs }: InjectedFault,
): { readonly left: number; readonly width: number } | undefined {
  if (toMs < scene.fromMs || fromMs > scene.toMs) return undefined;
  const left = xOf(scene, fromMs);
  return { left, width: Math.max(LEAST_PX, xOf(scene, toMs) - left) };
}

function isDimmed({ filter }: Scene, { targets }: InjectedFault): boolean {
  return targets.length === 0 || (filter.node !== undefined && !targets.includes(filter.node));
}
