/** The whole run in a strip, and which part of it is on the screen. */
import { bucketsOf, type Buckets } from './buckets.ts';
import { FAULT_FAMILIES } from '../fault-text.ts';
import { GUTTER } from './layout.ts';
import type { Run } from './run.ts';
import { heading, plotWidth, type Scene } from './scene.ts';

const BUCKET_PX = 3;

export function drawOverview(scene: Scene): void {
  const { context, layout, theme, run } = scene;
  const { top, height } = layout.overview;
  const width = plotWidth(layout);
  const pxPerMs = width / run.durationMs;
  heading(scene, 'Run', top + 12);
  context.fillStyle = theme.line;
  context.globalAlpha = 0.5;
  context.fillRect(GUTTER, top, width, height);
  for (const { fault, fromMs, toMs } of run.record.faults) {
    context.globalAlpha = 0.18;
    context.fillStyle = theme.families[FAULT_FAMILIES[fault.type]];
    const broad = Math.max(1.5, (toMs - fromMs) * pxPerMs);
    context.fillRect(GUTTER + fromMs * pxPerMs, top, broad, height);
  }
  context.globalAlpha = 1;
  drawCounts(scene, pxPerMs);
  if (run.violationMs !== undefined) {
    context.fillStyle = theme.fail;
    context.fillRect(GUTTER + run.violationMs * pxPerMs - 1, top - 3, 2, height + 6);
  }
  drawWindow(scene, pxPerMs);
}

function drawCounts({ context, layout, theme, run }: Scene, pxPerMs: number): void {
  const { top, height } = layout.overview;
  const stepMs = BUCKET_PX / pxPerMs;
  const { ok, fail, info, count } = bucketsOfRun(run, stepMs);
  let most = 1;
  for (let i = 0; i < count; i++) most = Math.max(most, ok[i]! + fail[i]! + info[i]!);
  for (let i = 0; i < count; i++) {
    const x = GUTTER + i * BUCKET_PX;
    const good = (ok[i]! / most) * (height - 6);
    const bad = ((fail[i]! + info[i]!) / most) * (height - 6);
    context.globalAlpha = 0.55;
    context.fillStyle = theme.accent;
    context.fillRect(x, top + height - good, BUCKET_PX - 0.5, good);
    context.globalAlpha = 1;
    context.fillStyle = theme.warn;
    context.fillRect(x, top + height - good - bad, BUCKET_PX - 0.5, bad);
  }
}

/** They change with the width only, and are wanted with every frame. */
let kept: { readonly run: Run; readonly buckets: Buckets } | undefined;

function bucketsOfRun(run: Run, stepMs: number): Buckets {
  if (kept?.run !== run || kept.buckets.stepMs !== stepMs) {
    kept = { run, buckets: bucketsOf(run, 0, run.durationMs, stepMs, () => true) };
  }
  return kept.buckets;
}

/** What is not on the screen is veiled. */
function drawWindow(scene: Scene, pxPerMs: number): void {
  const { context, layout, theme, fromMs, toMs } = scene;
  const { top, height } = layout.overview;
  const right = GUTTER + plotWidth(layout);
  const from = GUTTER + fromMs * pxPerMs;
  const to = Math.max(from + 2, GUTTER + toMs * pxPerMs);
  context.fillStyle = theme.panel;
  context.globalAlpha = 0.62;
  context.fillRect(GUTTER, top, from - GUTTER, height);
  context.fillRect(to, top, right - to, height);
  context.globalAlpha = 1;
  context.strokeStyle = theme.muted;
  context.lineWidth = 1;
  context.strokeRect(from + 0.5, top + 0.5, Math.max(1, to - from - 1), height - 1);
  context.fillStyle = theme.muted;
  for (const x of [from, to]) {
    context.beginPath();
    context.roundRect(x - 2.5, top + height / 2 - 9, 5, 18, 2.5);
    context.fill();
  }
}
