/** The order the checker found, as a path through the operations, and what breaks it. */
import type { Layout } from './layout.ts';
import type { OrderPath } from './run.ts';
import { clipped, xOf, type Scene } from './scene.ts';
import { countBelow } from './search.ts';

/** A path is drawn while it has no more points than this on the screen. */
const MOST_POINTS = 160;
const MOST_POINTS_CHOSEN = 700;
const NUMBER_PX = 46;

export function drawOrders(scene: Scene): void {
  const { run } = scene;
  const chosen = chosenPath(scene);
  const total = run.paths.reduce((sum, path) => sum + pointsShown(scene, path).count, 0);
  clipped(scene, () => {
    run.paths.forEach((path, place) => {
      const isChosen = place === chosen;
      const { count } = pointsShown(scene, path);
      const most = isChosen ? MOST_POINTS_CHOSEN : MOST_POINTS;
      if ((isChosen ? count : total) > most || (chosen >= 0 && !isChosen)) return;
      // It comes up slowly, so that nothing jumps while zooming.
      const fade = Math.min(1, (2 * (most - (isChosen ? count : total))) / most);
      drawPath(scene, path, place, isChosen, fade);
    });
  });
}

/** The path of the key that is looked at; -1: all of them. */
function chosenPath({ run, selected, filter }: Scene): number {
  if (selected >= 0) return run.pathOf[selected]!;
  if (filter.key === undefined) return -1;
  return run.paths.findIndex(({ order }) => order.part === filter.key);
}

function pointsShown(
  scene: Scene,
  { pointsMs }: OrderPath,
): { readonly first: number; readonly count: number } {
  const first = countBelow(pointsMs.length, scene.fromMs, (i) => pointsMs[i]!);
  const end = countBelow(pointsMs.length, scene.toMs, (i) => pointsMs[i]!);
  return { first, count: end - first };
}

function drawPath(
  scene: Scene,
  path: OrderPath,
  place: number,
  isChosen: boolean,
  fade: number,
): void {
  const { context, theme, run } = scene;
  const { first, count } = pointsShown(scene, path);
  // One more on each side: the path goes on beyond the view.
  const from = Math.max(0, first - 1);
  const to = Math.min(path.pointsMs.length, first + count + 1);
  const color = isChosen ? theme.ink : theme.kinds[(place + 3) % theme.kinds.length]!;
  context.globalAlpha = fade * (isChosen ? 0.9 : 0.55);
  context.strokeStyle = color;
  context.lineWidth = isChosen ? 1.5 : 1;
  context.lineJoin = 'round';
  context.beginPath();
  for (let i = from; i < to; i++)
    context.lineTo(xOf(scene, path.pointsMs[i]!), yOf(scene, path, i));
  context.stroke();
  context.globalAlpha = fade;
  for (let i = from; i < to; i++) {
    context.beginPath();
    context.arc(xOf(scene, path.pointsMs[i]!), yOf(scene, path, i), 2.6, 0, 2 * Math.PI);
    context.fillStyle = theme.panel;
    context.fill();
    context.stroke();
  }
  if (isChosen) drawNumbers(scene, path, from, to);
  const { stuck, operations } = path.order;
  if (stuck >= 0 && operations.length > 0) drawBreak(scene, path, run.row[stuck]!);
  context.globalAlpha = 1;
}

/** Which place in the order each has, where there is room. */
function drawNumbers(scene: Scene, path: OrderPath, from: number, to: number): void {
  const { context, theme, layout } = scene;
  if (layout.clientRow < 16) return;
  context.font = `600 9px ${theme.text}`;
  context.textBaseline = 'alphabetic';
  context.textAlign = 'center';
  context.fillStyle = theme.ink;
  context.strokeStyle = theme.panel;
  context.lineWidth = 3;
  let freeFrom = -Infinity;
  for (let i = from; i < to; i++) {
    const x = xOf(scene, path.pointsMs[i]!);
    if (x < freeFrom) continue;
    freeFrom = x + NUMBER_PX;
    const y = yOf(scene, path, i) + 12;
    context.strokeText(String(i + 1), x, y);
    context.fillText(String(i + 1), x, y);
  }
  context.textAlign = 'left';
}

/** A broken line from the end of the order to what fits nowhere behind it. */
function drawBreak(scene: Scene, path: OrderPath, row: number): void {
  const { context, theme, run, layout } = scene;
  const last = path.pointsMs.length - 1;
  const { stuck } = path.order;
  const x = xOf(scene, (run.callMs[stuck]! + run.endMs[stuck]!) / 2);
  const y = pathY(layout, row);
  context.strokeStyle = theme.fail;
  context.lineWidth = 1.5;
  context.setLineDash([4, 3]);
  context.beginPath();
  context.moveTo(xOf(scene, path.pointsMs[last]!), yOf(scene, path, last));
  context.lineTo(x, y);
  context.stroke();
  context.setLineDash([]);
}

/** Along the lower edges of the bars, so that what stands in them can be read. */
function pathY({ clients, clientRow }: Layout, row: number): number {
  return clients.top + (row + 1) * clientRow - Math.min(3, clientRow * 0.2);
}

function yOf({ run, layout }: Scene, { order }: OrderPath, i: number): number {
  return pathY(layout, run.row[order.operations[i]!]!);
}
