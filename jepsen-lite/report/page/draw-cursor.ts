/** The moment that is looked at: a line through all lanes, and what each node was then. */
import { outline } from './draw-violation.ts';
import { GUTTER, NODE_HEIGHT } from './layout.ts';
import { fitted, xOf, type Scene } from './scene.ts';
import { valueAt } from './search.ts';
import { timeText } from '../numbers.ts';

export interface Cursor {
  readonly atMs: number;
  /** It stays where it is until it is let go. */
  readonly isPinned: boolean;
  /** The operation under the pointer; -1: none. */
  readonly operation: number;
}

export function drawCursor(scene: Scene, cursor: Cursor): void {
  const { context, layout, theme } = scene;
  if (scene.selected >= 0) outline(scene, scene.selected, theme.ink, 2);
  if (cursor.operation >= 0) outline(scene, cursor.operation, theme.ink, 1.25);
  drawReadings(scene, cursor.atMs);
  const x = xOf(scene, cursor.atMs);
  if (x < GUTTER || x > layout.width) return;
  context.fillStyle = theme.ink;
  context.globalAlpha = cursor.isPinned ? 0.9 : 0.45;
  context.fillRect(Math.round(x), layout.axis.top + 8, 1, layout.height);
  context.globalAlpha = 1;
  const text = timeText(cursor.atMs, Math.min(20, scene.toMs - scene.fromMs));
  context.font = `600 11px ${theme.text}`;
  const width = context.measureText(text).width + 12;
  const left = Math.min(Math.max(GUTTER, x - width / 2), layout.width - width);
  context.fillStyle = theme.ink;
  context.beginPath();
  context.roundRect(left, layout.axis.top + 1, width, 18, 3);
  context.fill();
  context.fillStyle = theme.panel;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.fillText(text, left + 6, layout.axis.top + 10.5);
}

/** Beside each lane: role, term and commit index. */
function drawReadings({ context, theme, run, layout, filter }: Scene, atMs: number): void {
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
  run.record.nodes.forEach((timeline, i) => {
    const top = layout.nodes.top + i * NODE_HEIGHT;
    const life = valueAt(timeline.life, atMs) ?? 'down';
    const role = valueAt(timeline.role, atMs) ?? 'follower';
    context.globalAlpha = filter.node !== undefined && filter.node !== timeline.node ? 0.3 : 1;
    context.font = `11px ${theme.text}`;
    context.fillStyle = role === 'leader' && life === 'up' ? theme.accent : theme.muted;
    const what = life === 'up' ? role : life;
    const text = `${what}, term ${valueAt(timeline.term, atMs) ?? 0}`;
    context.fillText(fitted(context, text, GUTTER - 10), 0, top + 33);
    context.globalAlpha = 1;
  });
}
