/** The pictures, from back to front. */
import { drawAxis, drawPhases } from './draw-axis.ts';
import { drawFaultBars, drawFaultTints } from './draw-faults.ts';
import { drawMessages, drawnMessages, type DrawnMessage } from './draw-messages.ts';
import { drawNodes } from './draw-nodes.ts';
import { drawOperations } from './draw-operations.ts';
import { drawOrders } from './draw-orders.ts';
import { drawOverview } from './draw-overview.ts';
import { drawPlots } from './draw-plots.ts';
import { drawViolation } from './draw-violation.ts';
import type { Scene } from './scene.ts';

/** Draws all that does not follow the pointer; tells which messages show. */
export function paint(scene: Scene): readonly DrawnMessage[] {
  const { context, layout } = scene;
  context.clearRect(0, 0, layout.width, layout.height);
  drawOverview(scene);
  drawAxis(scene);
  drawPhases(scene);
  drawFaultBars(scene);
  drawFaultTints(scene);
  drawNodes(scene);
  const messages = drawnMessages(scene);
  drawMessages(scene, messages);
  drawOperations(scene);
  drawOrders(scene);
  drawPlots(scene);
  drawViolation(scene);
  return messages;
}

/** Makes a canvas as fine as the screen; true where its size changed. */
export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number): void {
  const scale = devicePixelRatio;
  const [fine, high] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== fine || canvas.height !== high) {
    canvas.width = fine;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  canvas.getContext('2d')!.setTransform(scale, 0, 0, scale, 0, 0);
}
