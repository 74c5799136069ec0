/** The time axis, its lines through the lanes, and the phases. */
import { GUTTER } from './layout.ts';
import { clipped, heading, plotWidth, xOf, type Scene } from './scene.ts';
import { timeText } from '../numbers.ts';

/** Room a label of the axis wants. */
const LABEL_PX = 110;

export function drawAxis(scene: Scene): void {
  const { context, layout, theme, fromMs, toMs } = scene;
  heading(scene, 'Time', layout.axis.top + 16);
  const stepMs = niceStep(((toMs - fromMs) * LABEL_PX) / plotWidth(layout));
  const bottom = layout.height;
  clipped(scene, () => {
    context.font = `11px ${theme.text}`;
    context.textBaseline = 'alphabetic';
    context.textAlign = 'left';
    context.lineWidth = 1;
    for (let at = Math.ceil(fromMs / stepMs); at * stepMs <= toMs; at++) {
      const x = Math.round(xOf(scene, at * stepMs)) + 0.5;
      context.strokeStyle = theme.line;
      context.beginPath();
      context.moveTo(x, layout.axis.top + 6);
      context.lineTo(x, bottom);
      context.stroke();
      context.fillStyle = theme.muted;
      context.fillText(timeText(at * stepMs, stepMs * 20), x + 4, layout.axis.top + 16);
    }
  });
}

/** Thin lines where phases meet, named in the axis. */
export function drawPhases(scene: Scene): void {
  const { context, layout, theme, run } = scene;
  clipped(scene, () => {
    context.font = `600 10px ${theme.text}`;
    context.textAlign = 'left';
    for (const { name, fromMs, toMs } of run.record.phases) {
      const left = xOf(scene, fromMs);
      const right = xOf(scene, toMs);
      if (right < GUTTER || left > layout.width) continue;
      if (fromMs > 0) {
        context.fillStyle = theme.muted;
        context.globalAlpha = 0.55;
        for (let y = layout.axis.top + 22; y < layout.height; y += 6) {
          context.fillRect(Math.round(left), y, 1, 2);
        }
        context.globalAlpha = 1;
      }
      const at = Math.max(left, GUTTER) + 5;
      if (right - at > context.measureText(name).width + 8) {
        context.fillStyle = theme.faint;
        context.fillText(name, at, layout.axis.top + 30);
      }
    }
  });
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  for (const factor of [1, 2, 5]) if (power * factor >= least) return power * factor;
  return power * 10;
}
