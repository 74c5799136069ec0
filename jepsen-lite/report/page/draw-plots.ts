/** Latency and rate under the lanes, on the same axis. */
import { bucketsOf, type Buckets } from './buckets.ts';
import { niceStep } from './draw-axis.ts';
import { drawFaultBands } from './draw-faults.ts';
import { GUTTER, type Band } from './layout.ts';
import { clipped, heading, plotWidth, passes, xOf, type Scene } from './scene.ts';
import { countBelow } from './search.ts';
import { countText, durationText } from '../numbers.ts';

const BUCKET_PX = 7;
/** A bucket is wide enough for so many operations on average. */
const BUCKET_OPERATIONS = 8;
/** With fewer operations than this, their dots are larger. */
const FEW = 600;
/** Dots are drawn once a cell of so many px. */
const CELL_PX = 2;

export function drawPlots(scene: Scene): void {
  const { context, layout } = scene;
  const shown = operationsShown(scene);
  const spanMs = scene.toMs - scene.fromMs;
  const leastMs = Math.max(BUCKET_PX / scene.pxPerMs, (spanMs * BUCKET_OPERATIONS) / (shown + 1));
  const stepMs = niceStep(Math.min(leastMs, spanMs / 4));
  const includes = (operation: number): boolean => passes(scene, operation);
  const buckets = bucketsOf(scene.run, scene.fromMs, scene.toMs, stepMs, includes);
  context.lineWidth = 1;
  drawLatency(scene, buckets, shown < FEW ? 2.5 : 1);
  drawRate(scene, buckets);
  frame(scene, layout.latency);
  frame(scene, layout.rate);
}

function operationsShown({ run, fromMs, toMs }: Scene): number {
  const before = (ms: number): number => countBelow(run.callMs.length, ms, (i) => run.callMs[i]!);
  return before(toMs) - before(fromMs);
}

function frame({ context, theme, layout }: Scene, { top, height }: Band): void {
  context.fillStyle = theme.line;
  context.fillRect(GUTTER, top + height, plotWidth(layout), 1);
}

interface LogScale {
  readonly yOf: (ms: number) => number;
  readonly decades: readonly number[];
}

/** The same for the whole run, so that the plot passes still while zooming. */
function latencyScale({ run }: Scene, { top, height }: Band): LogScale {
  const { leastMs: low, mostMs: high } = run.latencies;
  const from = Math.log10(Math.max(low, high / 1e6)) - 0.08;
  const to = Math.max(from + 0.5, Math.log10(high) + 0.08);
  const yOf = (ms: number): number => {
    const share = (Math.log10(Math.max(ms, 1e-9)) - from) / (to - from);
    return top + height * (1 - Math.min(1, Math.max(0, share)));
  };
  const decades: number[] = [];
  for (let power = Math.ceil(from); power <= to; power++) decades.push(10 ** power);
  return { yOf, decades };
}

function drawLatency(scene: Scene, buckets: Buckets, radius: number): void {
  const { context, layout, theme } = scene;
  const band = layout.latency;
  heading(scene, 'Latency', band.top + 2);
  drawFaultBands(scene, band);
  const scale = latencyScale(scene, band);
  context.font = `10.5px ${theme.text}`;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const ms of scale.decades) {
    const y = Math.round(scale.yOf(ms)) + 0.5;
    context.fillStyle = theme.line;
    context.fillRect(GUTTER, y - 0.5, plotWidth(layout), 1);
    context.fillStyle = theme.muted;
    context.fillText(durationText(ms), GUTTER - 8, y);
  }
  context.textAlign = 'left';
  drawKey(scene, band.top + 22, 'median', theme.ink);
  drawKey(scene, band.top + 38, '99 %', theme.warn);
  clipped(scene, () => {
    drawDots(scene, scale, radius);
    drawQuantile(scene, buckets, buckets.p99, scale, theme.warn);
    drawQuantile(scene, buckets, buckets.median, scale, theme.ink);
  });
}

/** What a line means, beside the plot. */
function drawKey({ context, theme }: Scene, y: number, text: string, color: string): void {
  context.fillStyle = color;
  context.fillRect(0, y - 1, 12, 2);
  context.font = `10.5px ${theme.text}`;
  context.textBaseline = 'middle';
  context.fillStyle = theme.muted;
  context.fillText(text, 18, y);
}

function drawDots(scene: Scene, { yOf }: LogScale, radius: number): void {
  const { run, context, theme, layout } = scene;
  const { top, height } = layout.latency;
  const columns = Math.ceil(layout.width / CELL_PX) + 1;
  const taken = new Uint8Array(columns * (Math.ceil(height / CELL_PX) + 2));
  const first = countBelow(run.callMs.length, scene.fromMs, (i) => run.callMs[i]!);
  context.globalAlpha = 0.55;
  for (let i = first; i < run.callMs.length && run.callMs[i]! <= scene.toMs; i++) {
    const { type } = run.record.history[i]!;
    if (type === 'info' || !passes(scene, i)) continue;
    const x = xOf(scene, run.callMs[i]!);
    const tookMs = run.returnMs[i]! - run.callMs[i]!;
    if (tookMs <= 0) continue;
    const y = yOf(tookMs);
    const cell = Math.floor((y - top) / CELL_PX) * columns + Math.floor(x / CELL_PX);
    if (taken[cell] === 1) continue;
    taken[cell] = 1;
    context.fillStyle = type === 'ok' ? theme.kinds[run.kind[i]!]! : theme.muted;
    if (radius > 1) {
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    } else context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
  }
  context.globalAlpha = 1;
}

function drawQuantile(
  scene: Scene,
  { fromMs, stepMs }: Buckets,
  values: Float64Array,
  { yOf }: LogScale,
  color: string,
): void {
  const { context } = scene;
  context.strokeStyle = color;
  context.lineWidth = 1.25;
  context.lineJoin = 'round';
  context.beginPath();
  let isDown = false;
  values.forEach((value, i) => {
    if (Number.isNaN(value)) {
      isDown = false;
      return;
    }
    const x = xOf(scene, fromMs + (i + 0.5) * stepMs);
    if (isDown) context.lineTo(x, yOf(value));
    else context.moveTo(x, yOf(value));
    isDown = true;
  });
  context.stroke();
}

function drawRate(scene: Scene, buckets: Buckets): void {
  const { context, layout, theme } = scene;
  const band = layout.rate;
  const { ok, fail, info, stepMs, fromMs, count } = buckets;
  heading(scene, 'Operations a second', band.top - 6);
  drawFaultBands(scene, band);
  let most = 0;
  for (let i = 0; i < count; i++) most = Math.max(most, ok[i]! + fail[i]! + info[i]!);
  const perSecond = 1000 / stepMs;
  const top = roundTop(Math.max(1, most * perSecond));
  context.font = `10.5px ${theme.text}`;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  context.fillStyle = theme.muted;
  context.fillText(countText(top), GUTTER - 8, band.top + 5);
  context.fillText('0', GUTTER - 8, band.top + band.height - 2);
  context.textAlign = 'left';
  const width = Math.max(1, xOf(scene, fromMs + stepMs) - xOf(scene, fromMs) - 1);
  clipped(scene, () => {
    for (let i = 0; i < count; i++) {
      const x = xOf(scene, fromMs + i * stepMs);
      let y = band.top + band.height;
      const stack = [
        [ok[i]!, theme.accent, 0.5],
        [fail[i]!, theme.muted, 0.7],
        [info[i]!, theme.warn, 1],
      ] as const;
      for (const [value, color, alpha] of stack) {
        const height = (value * perSecond * band.height) / top;
        if (height === 0) continue;
        context.globalAlpha = alpha;
        context.fillStyle = color;
        context.fillRect(x, y - height, width, height);
        y -= height;
      }
    }
    context.globalAlpha = 1;
  });
}

/** A round number not far above. */
function roundTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 1.5, 2, 3, 4, 5, 6, 8].find((factor) => power * factor >= value) ?? 10);
}
