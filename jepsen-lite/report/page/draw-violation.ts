/** Where the run broke: a line through all lanes, and the operations that contradict each other. */
import { GUTTER, NODE_HEIGHT } from './layout.ts';
import { clipped, plotWidth, xOf, type Scene } from './scene.ts';

const LABEL = 'violation';

export function drawViolation(scene: Scene): void {
  const { context, theme, run, layout } = scene;
  clipped(scene, () => {
    for (const operation of run.accused) outline(scene, operation, theme.fail, 1.5);
    if (run.violationMs === undefined) return;
    const x = Math.round(xOf(scene, run.violationMs)) + 0.5;
    if (x < GUTTER || x > layout.width) return;
    context.strokeStyle = theme.fail;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, layout.axis.top + 36);
    context.lineTo(x, layout.height);
    context.stroke();
    context.font = `600 10.5px ${theme.text}`;
    const width = context.measureText(LABEL).width + 12;
    const left = Math.min(x - 0.5, GUTTER + plotWidth(layout) - width);
    context.fillStyle = theme.fail;
    context.beginPath();
    context.roundRect(left, layout.axis.top + 20, width, 16, 3);
    context.fill();
    context.fillStyle = theme.onAccent;
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    context.fillText(LABEL, left + 6, layout.axis.top + 28.5);
    markNodes(scene, x);
  });
}

/** A dot in the lane of each node that it is about. */
function markNodes({ context, theme, run, layout }: Scene, x: number): void {
  const { nodes = [] } = run.record.violation ?? {};
  run.record.nodes.forEach(({ node }, i) => {
    if (!nodes.includes(node)) return;
    context.beginPath();
    context.arc(x, layout.nodes.top + (i + 0.5) * NODE_HEIGHT, 4.5, 0, 2 * Math.PI);
    context.fillStyle = theme.fail;
    context.fill();
    context.strokeStyle = theme.panel;
    context.lineWidth = 1.5;
    context.stroke();
  });
}

/** Around an operation's bar. */
export function outline(scene: Scene, operation: number, color: string, width: number): void {
  const { context, run, layout } = scene;
  const left = xOf(scene, run.callMs[operation]!);
  const right = xOf(scene, run.endMs[operation]!);
  if (right < GUTTER || left > layout.width) return;
  const top = layout.clients.top + run.row[operation]! * layout.clientRow;
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  const broad = Math.max(3, right - left + 2);
  context.roundRect(left - 1, top + 0.5, broad, layout.clientRow - 1, 3);
  context.stroke();
}
