/** A lane per node: role and term, how far its log is committed and applied, disk, up or down. */
import type { Changes, NodeTimeline } from '../../simulation/run-record.ts';
import { GUTTER, NODE_HEIGHT } from './layout.ts';
import { clipped, fitted, heading, plotWidth, xOf, type Scene } from './scene.ts';
import { placeAt, valueAt } from './search.ts';

const ROLE_TOP = 5;
const ROLE_HEIGHT = 15;
const CHART_TOP = 24;
const CHART_HEIGHT = 18;
const DISK_TOP = 44;
const DISK_HEIGHT = 3;

export function drawNodes(scene: Scene): void {
  const { run, layout, context, theme, filter } = scene;
  heading(scene, 'Nodes', layout.nodes.top - 7);
  const range = indexRange(scene);
  run.record.nodes.forEach((timeline, i) => {
    const top = layout.nodes.top + i * NODE_HEIGHT;
    context.globalAlpha = filter.node !== undefined && filter.node !== timeline.node ? 0.25 : 1;
    context.fillStyle = theme.line;
    context.fillRect(0, top + NODE_HEIGHT - 1, layout.width, 1);
    context.font = `600 13px ${theme.text}`;
    context.fillStyle = theme.ink;
    context.textBaseline = 'alphabetic';
    context.textAlign = 'left';
    context.fillText(fitted(context, timeline.node, GUTTER - 12), 0, top + 18);
    clipped(scene, () => {
      drawProgress(scene, timeline, top, range);
      drawRoles(scene, timeline, top);
      drawDisk(scene, timeline, top);
      drawLife(scene, timeline, top);
    });
    context.globalAlpha = 1;
  });
}

/** Calls `draw` for each stretch that shows, with its value and its ends on the canvas. */
function eachStretch<T>(
  scene: Scene,
  changes: Changes<T>,
  draw: (value: T, left: number, right: number, place: number) => void,
): void {
  const first = Math.max(0, placeAt(changes, scene.fromMs));
  for (let i = first; i < changes.length && changes[i]![0] <= scene.toMs; i++) {
    const next = changes[i + 1];
    const left = xOf(scene, changes[i]![0]);
    draw(changes[i]![1], left, xOf(scene, next === undefined ? scene.run.durationMs : next[0]), i);
  }
}

function drawRoles(scene: Scene, timeline: NodeTimeline, top: number): void {
  const { context, theme, layout } = scene;
  const y = top + ROLE_TOP;
  context.font = `600 10.5px ${theme.text}`;
  context.textBaseline = 'middle';
  eachStretch(scene, timeline.role, (role, left, right, place) => {
    if (role === 'outside') return;
    context.fillStyle = theme.roles[role];
    const width = Math.max(1.5, right - left);
    if (role === 'follower' || role === 'learner') {
      context.fillRect(left, y + ROLE_HEIGHT / 2 - 1.5, width, 3);
      return;
    }
    const isCandidate = role !== 'leader';
    const inset = isCandidate ? 3 : 0;
    context.beginPath();
    const corner = Math.min(3, width / 2);
    context.roundRect(left, y + inset, width, ROLE_HEIGHT - 2 * inset, corner);
    context.fill();
    if (isCandidate) return;
    const term = valueAt(timeline.term, timeline.role[place]![0] + 1e-6) ?? 0;
    const from = Math.max(left, GUTTER) + 6;
    const end = xOf(scene, upUntil(timeline, Math.max(timeline.role[place]![0], scene.fromMs)));
    const room = Math.min(right, layout.width, end) - from - 4;
    context.fillStyle = theme.onAccent;
    const whole = `leader, term ${term}`;
    const text = context.measureText(whole).width <= room ? whole : String(term);
    if (context.measureText(text).width <= room) context.fillText(text, from, y + 8);
  });
}

/** When the node next goes down or stands still: its lane is veiled from there on. */
function upUntil({ life }: NodeTimeline, fromMs: number): number {
  const next = life.slice(Math.max(0, placeAt(life, fromMs))).find(([, value]) => value !== 'up');
  return next?.[0] ?? Infinity;
}

/** Commit as a line, applied as an area; who stays behind lies lower than the others. */
function drawProgress(scene: Scene, timeline: NodeTimeline, top: number, range: Range): void {
  const { context, theme, layout } = scene;
  const base = top + CHART_TOP + CHART_HEIGHT;
  const scale = CHART_HEIGHT / Math.max(1, range.high - range.low);
  const yOf = (index: number): number => base - Math.max(0, index - range.low) * scale;
  const right = Math.min(GUTTER + plotWidth(layout), xOf(scene, scene.run.durationMs));
  context.beginPath();
  context.moveTo(GUTTER, base);
  traceSteps(scene, timeline.applied, yOf, right);
  context.lineTo(right, base);
  context.fillStyle = theme.accent;
  const alpha = context.globalAlpha;
  context.globalAlpha = alpha * 0.13;
  context.fill();
  context.globalAlpha = alpha * 0.75;
  context.beginPath();
  traceSteps(scene, timeline.commit, yOf, right);
  context.strokeStyle = theme.accent;
  context.lineWidth = 1;
  context.stroke();
  context.globalAlpha = alpha;
}

function traceSteps(
  scene: Scene,
  changes: Changes<number>,
  yOf: (index: number) => number,
  right: number,
): void {
  const { context } = scene;
  let y = yOf(valueAt(changes, scene.fromMs) ?? 0);
  let drawnX = GUTTER;
  context.lineTo(GUTTER, y);
  for (let i = placeAt(changes, scene.fromMs) + 1; i < changes.length; i++) {
    const [atMs, value] = changes[i]!;
    if (atMs > scene.toMs) break;
    const x = xOf(scene, atMs);
    // Steps that fall on one pixel are one step.
    if (x - drawnX > 0.6) {
      context.lineTo(x, y);
      drawnX = x;
      context.lineTo(x, yOf(value));
    }
    y = yOf(value);
  }
  context.lineTo(right, y);
}

interface Range {
  readonly low: number;
  readonly high: number;
}

function indexRange({ run, fromMs, toMs }: Scene): Range {
  let low = Infinity;
  let high = 0;
  for (const { commit, applied } of run.record.nodes) {
    low = Math.min(low, valueAt(commit, fromMs) ?? 0, valueAt(applied, fromMs) ?? 0);
    high = Math.max(high, valueAt(commit, toMs) ?? 0);
  }
  return { low: low === Infinity ? 0 : low, high };
}

function drawDisk(scene: Scene, timeline: NodeTimeline, top: number): void {
  const { context, theme } = scene;
  eachStretch(scene, timeline.disk, (disk, left, right) => {
    if (disk === 'ok') return;
    context.fillStyle = theme.disks[disk];
    context.fillRect(left, top + DISK_TOP, Math.max(2, right - left), DISK_HEIGHT);
    context.font = `10px ${theme.text}`;
    context.textBaseline = 'alphabetic';
    const text = `disk ${disk}`;
    const from = Math.max(left, GUTTER) + 3;
    if (right - from < context.measureText(text).width + 6) return;
    context.fillText(text, from, top + DISK_TOP - 3);
  });
}

/** Down: nothing but its outline is left of the lane; paused: it fades. */
function drawLife(scene: Scene, timeline: NodeTimeline, top: number): void {
  const { context, theme, layout } = scene;
  eachStretch(scene, timeline.life, (life, left, right) => {
    if (life === 'up') return;
    const from = Math.max(left, GUTTER - 1);
    const width = Math.max(2, Math.min(right, layout.width) - from);
    const alpha = context.globalAlpha;
    context.fillStyle = theme.panel;
    context.globalAlpha = alpha * (life === 'down' ? 0.94 : 0.72);
    context.fillRect(from, top + 1, width, NODE_HEIGHT - 3);
    context.globalAlpha = alpha * 0.22;
    context.fillStyle = life === 'down' ? theme.families.process : theme.muted;
    context.fillRect(from, top + 1, width, NODE_HEIGHT - 3);
    context.globalAlpha = alpha;
    if (left >= GUTTER) context.fillRect(left, top + 1, 1.5, NODE_HEIGHT - 3);
    context.font = `600 10.5px ${theme.text}`;
    context.textBaseline = 'middle';
    if (width > context.measureText(life).width + 12) {
      context.fillText(life, from + 7, top + CHART_TOP + CHART_HEIGHT / 2);
    }
  });
}
