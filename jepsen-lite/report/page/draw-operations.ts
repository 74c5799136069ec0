/** Client operations: a row per client, a bar from call to return. */
import type { Operation } from '../../history/operation.ts';
import { GUTTER } from './layout.ts';
import { clipped, fitted, heading, stands, xOf, type Scene } from './scene.ts';
import { countBelow } from './search.ts';
import { mixed } from './theme.ts';
import { valueText } from '../numbers.ts';

/** Bars that end within so much of the one before, in px, are not drawn again. */
const MERGE_PX = 0.25;
const LEAST_PX = 0.7;
const ROUND_PX = 6;
const LABEL_PX = 44;
/** What never returned fades over this length. */
const FADE_PX = 260;
/** What does not stand out is drawn with this opacity. */
const DIMMED = 0.16;
/** Bars of this mean width, in px, have all their colour; from 1 px down they have none. */
const COLORED_PX = 5;

export function drawOperations(scene: Scene): void {
  const { run, layout, context, theme } = scene;
  heading(scene, 'Clients', layout.clients.top - 7);
  context.font = `11px ${theme.text}`;
  context.textBaseline = 'middle';
  const height = layout.clientRow;
  run.rows.forEach(({ processes }, row) => {
    if (height < 11) return;
    const y = layout.clients.top + (row + 0.5) * height;
    context.fillStyle = theme.muted;
    context.textAlign = 'left';
    context.fillText(fitted(context, processes.slice(0, 9).join(' '), GUTTER - 14), 0, y);
  });
  const colors = barColors(scene);
  clipped(scene, () => {
    run.rows.forEach((_, row) => drawRow(scene, row, colors));
  });
}

/** From far away colours are noise: there all bars are alike, and take on colour as they widen. */
function barColors({ run, theme, pxPerMs }: Scene): readonly string[] {
  const meanPx = run.latencies.meanMs * pxPerMs;
  const share = Math.min(1, Math.max(0, (meanPx - 1) / (COLORED_PX - 1)));
  return theme.kinds.map((color) => mixed(theme.dense, color, share));
}

function drawRow(scene: Scene, row: number, colors: readonly string[]): void {
  const { run, context, layout } = scene;
  const { operations } = run.rows[row]!;
  const height = layout.clientRow;
  const top = layout.clients.top + row * height + Math.min(2, height * 0.12);
  const bar = height - 2 * Math.min(2, height * 0.12);
  const first = firstShown(scene, operations);
  let drawnTo = -Infinity;
  for (let at = first; at < operations.length; at++) {
    const i = operations[at]!;
    if (run.callMs[i]! > scene.toMs) break;
    const left = xOf(scene, run.callMs[i]!);
    const right = xOf(scene, run.endMs[i]!);
    const { type } = run.record.history[i]!;
    if (type === 'ok' && right - drawnTo < MERGE_PX) continue;
    drawnTo = right;
    context.globalAlpha = stands(scene, i) ? 1 : DIMMED;
    drawBar(scene, i, left, right, top, bar, colors[run.kind[i]!]!);
  }
  context.globalAlpha = 1;
}

function drawBar(
  scene: Scene,
  i: number,
  left: number,
  right: number,
  top: number,
  height: number,
  color: string,
): void {
  const { context, theme, run } = scene;
  const { type } = run.record.history[i]!;
  const width = Math.max(type === 'ok' ? LEAST_PX : 2, right - left);
  if (type === 'info') {
    drawOpenEnd(scene, left, width, top, height);
  } else if (type === 'fail') {
    context.strokeStyle = theme.muted;
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, top + 0.5, Math.max(1.5, width - 1), height - 1);
  } else {
    context.fillStyle = color;
    if (width < ROUND_PX || height < 6) context.fillRect(left, top, width, height);
    else {
      context.beginPath();
      context.roundRect(left, top, width, height, Math.min(3, height / 3));
      context.fill();
    }
  }
  if (type === 'info' && left < GUTTER - FADE_PX / 2) return;
  if (width > LABEL_PX && height > 9) drawLabel(scene, i, left, right, top + height / 2);
}

/** Nobody knows when it ends: it fades. */
function drawOpenEnd(
  { context, theme }: Scene,
  left: number,
  width: number,
  top: number,
  height: number,
): void {
  const shown = Math.min(width, FADE_PX);
  const fade = context.createLinearGradient(left, 0, left + shown, 0);
  fade.addColorStop(0, theme.warn);
  fade.addColorStop(1, 'transparent');
  context.fillStyle = fade;
  context.fillRect(left, top + height * 0.2, shown, height * 0.6);
  context.fillStyle = theme.warn;
  context.fillRect(left, top, 2, height);
  const alpha = context.globalAlpha;
  context.globalAlpha = alpha * 0.35;
  context.fillRect(left, top + height / 2, width, 1);
  context.globalAlpha = alpha;
}

function drawLabel(scene: Scene, i: number, left: number, right: number, y: number): void {
  const { context, theme, run, layout } = scene;
  const operation = run.record.history[i]!;
  const from = Math.max(left, GUTTER) + 5;
  const room = Math.min(right, layout.width) - from - 4;
  context.font = `10.5px ${theme.mono}`;
  context.textBaseline = 'middle';
  context.fillStyle = operation.type === 'ok' ? theme.onAccent : theme.ink;
  // Rather less than something cut off.
  const texts = [operationText(operation, true), operationText(operation, false), operation.f];
  const text = texts.find((one) => context.measureText(one).width <= room);
  if (text !== undefined) context.fillText(text, from, y + 0.5);
}

/** `put register/1 = "3"`, `get register/1 → "3"`; short without the key. */
export function operationText(operation: Operation, isLong: boolean): string {
  const { f, key, value, output, type, error } = operation;
  const on = isLong && key !== undefined ? ` ${key}` : '';
  const given = value === undefined || value === null ? '' : ` ${givenText(f, value)}`;
  if (type !== 'ok') return `${f}${on}${given} ${error ?? type}`;
  const isRead = value === undefined || value === null;
  const answered = output === undefined || (output === null && !isRead);
  return `${f}${on}${given}${answered ? '' : ` → ${valueText(output, 40)}`}`;
}

function givenText(f: string, value: unknown): string {
  if (f === 'cas' && Array.isArray(value) && value.length === 2) {
    return `${valueText(value[0], 20)} ⇒ ${valueText(value[1], 20)}`;
  }
  return valueText(value, 40);
}

/** The place in a row of the first operation that has not ended before the view. */
function firstShown({ run, fromMs }: Scene, operations: readonly number[]): number {
  return countBelow(operations.length, fromMs, (at) => run.endMs[operations[at]!]!);
}

/** The operation under a point of the canvas; -1: none. */
export function operationAt(scene: Scene, x: number, y: number): number {
  const { run, layout, pxPerMs } = scene;
  const row = Math.floor((y - layout.clients.top) / layout.clientRow);
  const operations = run.rows[row]?.operations;
  if (operations === undefined) return -1;
  const atMs = scene.fromMs + (x - GUTTER) / pxPerMs;
  const slackMs = 3 / pxPerMs;
  const next = countBelow(operations.length, atMs, (at) => run.endMs[operations[at]!]!);
  let nearest = -1;
  let leastMs = slackMs;
  for (const at of [next - 1, next]) {
    const i = operations[at];
    if (i === undefined) continue;
    const ms = Math.max(0, run.callMs[i]! - atMs, atMs - run.endMs[i]!);
    if (ms <= leastMs) {
      leastMs = ms;
      nearest = i;
    }
  }
  return nearest;
}
