/** One plot as SVG text: lines over an axis of numbers or of names. */

export interface Line {
  readonly name: string;
  /** `x` is a number, or the place of a name among `PlotOptions.names`. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Those it is measured against are drawn thinner. */
  readonly isReference: boolean;
}

export interface PlotOptions {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  /** Both axes are logarithmic, unless names stand in the place of numbers. */
  readonly names?: readonly string[];
  readonly lines: readonly Line[];
}

const WIDTH = 560;
const HEIGHT = 340;
const LEFT = 62;
const RIGHT = 130;
const TOP = 34;
const BOTTOM = 46;
/** Told apart by people who see colours differently; read on light and on dark. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#b8860b', '#56b4e9', '#7a7a7a'];
const LABEL_STEP = 15;

/** Maps a value to a place on the paper. */
type Scale = (value: number) => number;

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Empty text when there is nothing to draw. */
export function plot(options: PlotOptions): string {
  const lines = options.lines
    .map((line) => ({ ...line, points: line.points.filter(({ y }) => y > 0) }))
    .filter(({ points }) => points.length > 0);
  if (lines.length === 0) return '';
  const all = lines.flatMap(({ points }) => points);
  const names = options.names;
  const xTicks = names?.map((_, i) => i) ?? decades(all.map(({ x }) => x));
  const yTicks = decades(all.map(({ y }) => y));
  const xScale =
    names === undefined
      ? logarithmic(xTicks, LEFT, WIDTH - RIGHT)
      : evenly(names.length, LEFT, WIDTH - RIGHT);
  const yScale = logarithmic(yTicks, HEIGHT - BOTTOM, TOP);
  const parts = [
    `<text class="title" x="${LEFT}" y="18">${escapeHtml(options.title)}</text>`,
    ...yTicks.map((value) => horizontal(value, yScale(value))),
    ...xTicks.map((value) => vertical(names?.[value] ?? short(value), xScale(value))),
    axisTitles(options),
    ...lines.map((line, i) => curve(line, COLOURS[i % COLOURS.length]!, xScale, yScale)),
    ...labels(lines, yScale),
  ];
  const title = escapeHtml(options.title);
  const size = `0 0 ${WIDTH} ${HEIGHT}`;
  return `<svg viewBox="${size}" role="img" aria-label="${title}">${parts.join('')}</svg>`;
}

/** Powers of ten around all values; at least two. */
function decades(values: readonly number[]): number[] {
  const logs = values.filter((value) => value > 0).map((value) => Math.log10(value));
  const least = Math.floor(Math.min(...logs) + 1e-9);
  const most = Math.max(least + 1, Math.ceil(Math.max(...logs) - 1e-9));
  return Array.from({ length: most - least + 1 }, (_, i) => 10 ** (least + i));
}

function logarithmic(ticks: readonly number[], from: number, to: number): Scale {
  const first = Math.log10(ticks[0] ?? 1);
  const last = Math.log10(ticks.at(-1) ?? 10);
  return (value) => from + ((Math.log10(value) - first) / (last - first)) * (to - from);
}

function evenly(count: number, from: number, to: number): Scale {
  return (value) => from + ((value + 0.5) / count) * (to - from);
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(3)));
}

function at(value: number): string {
  return value.toFixed(1);
}

function horizontal(value: number, y: number): string {
  const ends = `x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y)}" y2="${at(y)}"`;
  const text = `<text class="tick" x="${LEFT - 6}" y="${at(y + 4)}" text-anchor="end">`;
  return `<line class="grid" ${ends}/>${text}${short(value)}</text>`;
}

function vertical(name: string, x: number): string {
  const y = HEIGHT - BOTTOM;
  const line = `<line class="grid" x1="${at(x)}" x2="${at(x)}" y1="${TOP}" y2="${y}"/>`;
  const text = `<text class="tick" x="${at(x)}" y="${y + 16}" text-anchor="middle">`;
  return `${line}${text}${escapeHtml(name)}</text>`;
}

function axisTitles({ xTitle, yTitle }: PlotOptions): string {
  const middle = (LEFT + WIDTH - RIGHT) / 2;
  const height = (TOP + HEIGHT - BOTTOM) / 2;
  return (
    `<text class="axis" x="${middle}" y="${HEIGHT - 8}" text-anchor="middle">` +
    `${escapeHtml(xTitle)}</text>` +
    `<text class="axis" transform="translate(14 ${height}) rotate(-90)" text-anchor="middle">` +
    `${escapeHtml(yTitle)}</text>`
  );
}

function curve(line: Line, colour: string, xScale: Scale, yScale: Scale): string {
  const places = line.points.map(({ x, y }) => `${at(xScale(x))},${at(yScale(y))}`);
  const style = line.isReference
    ? 'stroke-width="1.2" stroke-dasharray="5 4"'
    : 'stroke-width="2.2"';
  const path = `<polyline fill="none" stroke="${colour}" ${style} points="${places.join(' ')}"/>`;
  const dots = line.points.map(({ x, y }) => {
    const told = escapeHtml(`${line.name}: ${Number(y.toPrecision(4)).toLocaleString('en')}`);
    const place = `cx="${at(xScale(x))}" cy="${at(yScale(y))}"`;
    return `<circle ${place} r="3.2" fill="${colour}"><title>${told}</title></circle>`;
  });
  return path + dots.join('');
}

/** Names beside the lines' ends, moved apart where they would overlap. */
function labels(lines: readonly Line[], yScale: Scale): string[] {
  const wanted = lines
    .map((line, i) => ({
      line,
      colour: COLOURS[i % COLOURS.length]!,
      y: yScale(line.points.at(-1)!.y),
    }))
    .toSorted((a, b) => a.y - b.y);
  let lowest = TOP - LABEL_STEP;
  const placed = wanted.map((label) => {
    lowest = Math.max(label.y, lowest + LABEL_STEP);
    return { ...label, y: lowest };
  });
  // Those that were pushed out at the bottom push the others up again.
  let highest = HEIGHT - BOTTOM + LABEL_STEP;
  for (const label of placed.toReversed()) {
    highest = Math.min(label.y, highest - LABEL_STEP);
    label.y = highest;
  }
  return placed.map(
    ({ line, colour, y }) =>
      `<text class="label" x="${WIDTH - RIGHT + 8}" y="${at(y + 4)}" style="fill:${colour}">` +
      `${escapeHtml(line.name)}</text>`,
  );
}
