/** What every drawing function gets: the run, the part of it that shows, and where. */
import { GUTTER, RIGHT_MARGIN, type Layout } from './layout.ts';
import type { Run } from './run.ts';
import type { Theme } from './theme.ts';

/** What is looked at; all else is drawn faint. */
export interface Filter {
  readonly key: string | undefined;
  readonly process: number | undefined;
  readonly node: string | undefined;
}

export const NO_FILTER: Filter = { key: undefined, process: undefined, node: undefined };

export interface Scene {
  readonly context: CanvasRenderingContext2D;
  readonly run: Run;
  readonly layout: Layout;
  readonly theme: Theme;
  readonly filter: Filter;
  /** The operation that was clicked, as a place in the history; -1: none. */
  readonly selected: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly pxPerMs: number;
}

export function plotWidth(layout: Layout): number {
  return Math.max(1, layout.width - GUTTER - RIGHT_MARGIN);
}

export function xOf({ fromMs, pxPerMs }: Scene, ms: number): number {
  return GUTTER + (ms - fromMs) * pxPerMs;
}

/** Whether the filter lets the operation through. */
export function passes({ run, filter }: Scene, operation: number): boolean {
  const { key, process, node } = filter;
  if (key === undefined && process === undefined && node === undefined) return true;
  const one = run.record.history[operation]!;
  return (
    (key === undefined || one.key === key) &&
    (process === undefined || one.process === process) &&
    (node === undefined || one.node === node)
  );
}

/** Whether it stands out: of a chosen operation only those in one order with it do. */
export function stands(scene: Scene, operation: number): boolean {
  const { run, selected } = scene;
  const path = run.pathOf[selected] ?? -1;
  if (path >= 0 && run.pathOf[operation] !== path && !run.accused.has(operation)) return false;
  return passes(scene, operation);
}

/** Draws inside the plot only, so that nothing runs into the gutter. */
export function clipped(scene: Scene, draw: () => void): void {
  const { context, layout } = scene;
  context.save();
  context.beginPath();
  context.rect(GUTTER, 0, plotWidth(layout), layout.height);
  context.clip();
  draw();
  context.restore();
}

/** A heading in the gutter. */
export function heading({ context, theme }: Scene, text: string, top: number): void {
  context.font = `600 10.5px ${theme.text}`;
  context.fillStyle = theme.muted;
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
  context.fillText(text, 0, top);
}

/** Text cut to what fits; nothing where hardly a letter does. */
export function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (width < 14) return '';
  const whole = context.measureText(text).width;
  if (whole <= width) return text;
  const length = Math.floor((text.length * width) / whole) - 1;
  return length < 2 ? '' : `${text.slice(0, length)}…`;
}
