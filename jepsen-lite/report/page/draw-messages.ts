/** Messages between nodes, from lane to lane, once few enough are on the screen. */
import type { Message } from '../../simulation/run-record.ts';
import { countText, timeText } from '../numbers.ts';
import { GUTTER, NODE_HEIGHT } from './layout.ts';
import { clipped, plotWidth, xOf, type Scene } from './scene.ts';
import { countBelow } from './search.ts';

const MOST_DRAWN = 700;
/** A message that never arrives is drawn this long. */
const LOST_MS = 3;
const LONGEST_MS = 2_000;
/** From this width on, in px, the flight of a message is drawn in full. */
const CLEAR_PX = 12;
const FAINTEST = 0.3;

/** The lines of the messages that show; empty while there are too many. */
export interface DrawnMessage {
  readonly message: Message;
  readonly fromX: number;
  readonly fromY: number;
  readonly toX: number;
  readonly toY: number;
}

export function drawnMessages(scene: Scene): DrawnMessage[] {
  const { run, fromMs, toMs, layout, filter } = scene;
  const { kept } = run.record.messages;
  const first = countBelow(kept.length, fromMs - LONGEST_MS, (i) => kept[i]!.sentMs);
  const last = countBelow(kept.length, toMs, (i) => kept[i]!.sentMs);
  const shown: Message[] = [];
  for (let i = first; i < last; i++) {
    const message = kept[i]!;
    if ((message.receivedMs ?? message.sentMs + LOST_MS) < fromMs) continue;
    const { from, to } = message;
    if (filter.node !== undefined && from !== filter.node && to !== filter.node) continue;
    shown.push(message);
    if (shown.length > MOST_DRAWN) return [];
  }
  const rows = new Map(run.record.nodes.map(({ node }, i) => [node, i]));
  const yOf = (node: string): number =>
    layout.nodes.top + (rows.get(node) ?? 0) * NODE_HEIGHT + NODE_HEIGHT / 4;
  return shown.map((message) => {
    const { from, to, sentMs, receivedMs } = message;
    const fromY = yOf(from);
    const toX = xOf(scene, receivedMs ?? sentMs + LOST_MS);
    // What is lost ends on its way.
    const toY = receivedMs === null ? fromY + (yOf(to) - fromY) * 0.55 : yOf(to);
    return { message, fromX: xOf(scene, sentMs), fromY, toX, toY };
  });
}

export function drawMessages(scene: Scene, messages: readonly DrawnMessage[]): void {
  const { context, theme, run, pxPerMs } = scene;
  drawHint(scene, messages.length);
  clipped(scene, () => {
    const clear = Math.max(FAINTEST, Math.min(1, (run.flightMs * pxPerMs) / CLEAR_PX));
    const alpha = clear * Math.min(0.85, 0.25 + 40 / Math.max(1, messages.length));
    for (const { message, fromX, fromY, toX, toY } of messages) {
      const isLost = message.receivedMs === null;
      context.globalAlpha = isLost ? Math.min(1, alpha + 0.25) : alpha;
      context.strokeStyle = isLost ? theme.fail : theme.muted;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(fromX, fromY);
      context.lineTo(toX, toY);
      context.stroke();
      if (isLost) drawCross(context, toX, toY);
      else if (messages.length < 250) drawHead(scene, { message, fromX, fromY, toX, toY });
    }
    context.globalAlpha = 1;
  });
}

/** How many show, or why none do. */
function drawHint(scene: Scene, drawn: number): void {
  const { context, theme, layout } = scene;
  context.font = `10.5px ${theme.text}`;
  context.textAlign = 'right';
  context.textBaseline = 'alphabetic';
  context.fillStyle = theme.muted;
  const text = hintText(scene, drawn);
  context.fillText(text, GUTTER + plotWidth(layout), layout.nodes.top - 7);
  context.textAlign = 'left';
}

function hintText({ run, fromMs, toMs }: Scene, drawn: number): string {
  const { kept } = run.record.messages;
  const first = kept[0];
  if (first === undefined) return '';
  if (drawn > 0) return drawn === 1 ? '1 message' : `${countText(drawn)} messages`;
  if (toMs < first.sentMs) {
    return `messages were kept from ${timeText(first.sentMs, run.durationMs)} on`;
  }
  const last = kept.at(-1)!;
  return fromMs > last.sentMs ? 'no messages' : 'zoom in for messages';
}

function drawCross(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.beginPath();
  context.moveTo(x - 3, y - 3);
  context.lineTo(x + 3, y + 3);
  context.moveTo(x + 3, y - 3);
  context.lineTo(x - 3, y + 3);
  context.stroke();
}

function drawHead({ context, theme }: Scene, { fromX, fromY, toX, toY }: DrawnMessage): void {
  const angle = Math.atan2(toY - fromY, toX - fromX);
  context.fillStyle = theme.muted;
  context.beginPath();
  context.moveTo(toX, toY);
  context.lineTo(toX - 6 * Math.cos(angle - 0.35), toY - 6 * Math.sin(angle - 0.35));
  context.lineTo(toX - 6 * Math.cos(angle + 0.35), toY - 6 * Math.sin(angle + 0.35));
  context.fill();
}

/** The message whose line is nearest to a point, if it is near. */
export function messageAt(
  messages: readonly DrawnMessage[],
  x: number,
  y: number,
): Message | undefined {
  let nearest: Message | undefined;
  let leastPx = 5;
  for (const { message, fromX, fromY, toX, toY } of messages) {
    const width = toX - fromX;
    const height = toY - fromY;
    const length = width * width + height * height;
    const along = length === 0 ? 0 : ((x - fromX) * width + (y - fromY) * height) / length;
    const t = Math.min(1, Math.max(0, along));
    const px = Math.hypot(x - fromX - t * width, y - fromY - t * height);
    if (px >= leastPx) continue;
    leastPx = px;
    nearest = message;
  }
  return nearest;
}
