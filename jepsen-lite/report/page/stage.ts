/** What is looked at, and drawing it anew: at most once a frame, and only what changed. */
import { addressOf, readAddress } from './address.ts';
import { drawCursor } from './draw-cursor.ts';
import type { DrawnMessage } from './draw-messages.ts';
import { findAs } from './element.ts';
import { Inspector } from './inspector.ts';
import { GUTTER, layOut, type Layout } from './layout.ts';
import { fitCanvas, paint } from './paint.ts';
import type { Run } from './run.ts';
import { plotWidth, type Filter, type Scene } from './scene.ts';
import { readTheme, type Theme } from './theme.ts';
import { View } from './view.ts';

/** Around a violation at least so much is shown. */
const LEAST_AROUND_MS = 30;
const ADDRESS_DELAY_MS = 300;
/** The picture's width on paper: that of an upright page. */
const PRINT_PX = 690;

export class Stage {
  readonly run: Run;
  readonly view: View;
  readonly overlay: HTMLCanvasElement = findAs(HTMLCanvasElement, 'overlay');
  filter: Filter;
  selected = -1;
  cursorMs: number;
  isPinned = false;
  hovered = -1;
  messages: readonly DrawnMessage[] = [];
  readonly #picture = findAs(HTMLCanvasElement, 'picture');
  readonly #inspector: Inspector;
  readonly #paper = matchMedia('print');
  #theme: Theme = readTheme();
  #layout: Layout;
  #isStale = { picture: false, overlay: false };
  #addressTimer = 0;

  constructor(run: Run) {
    this.run = run;
    this.view = new View(run.durationMs, () => this.redraw());
    this.#layout = layOut(run, this.#width());
    this.#inspector = new Inspector(run, (operation) => this.select(operation, true));
    const place = readAddress(location.hash);
    this.filter = place.filter;
    this.cursorMs = place.atMs ?? run.violationMs ?? run.durationMs;
    this.isPinned = place.atMs !== undefined;
    this.selected = run.record.history[place.operation ?? -1] === undefined ? -1 : place.operation!;
    this.view.show(place.fromMs ?? 0, place.toMs ?? run.durationMs);
    new ResizeObserver(() => this.#resized()).observe(this.#picture.parentElement!);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#theme = readTheme();
      this.redraw();
    });
    this.#paper.addEventListener('change', () => this.#changeMedium());
  }

  get layout(): Layout {
    return this.#layout;
  }

  scene(canvas: HTMLCanvasElement = this.overlay): Scene {
    const { fromMs, toMs } = this.view;
    return {
      context: canvas.getContext('2d')!,
      run: this.run,
      layout: this.#layout,
      theme: this.#theme,
      filter: this.filter,
      selected: this.selected,
      fromMs,
      toMs,
      pxPerMs: plotWidth(this.#layout) / (toMs - fromMs),
    };
  }

  /** The moment that stands at `x` of the canvas. */
  timeAt(x: number): number {
    const { fromMs, spanMs, durationMs } = this.view;
    const ms = fromMs + ((x - GUTTER) / plotWidth(this.#layout)) * spanMs;
    return Math.min(durationMs, Math.max(0, ms));
  }

  moveCursor(atMs: number): void {
    this.cursorMs = Math.min(this.run.durationMs, Math.max(0, atMs));
    this.redrawOverlay();
  }

  pin(atMs: number | undefined): void {
    this.isPinned = atMs !== undefined;
    if (atMs !== undefined) this.moveCursor(atMs);
    this.redrawOverlay();
  }

  /** Chooses an operation, -1 for none; `goes`: moves there too. */
  select(operation: number, goes = false): void {
    this.selected = operation;
    if (operation >= 0 && goes) {
      const { callMs, endMs } = this.run;
      const middleMs = (callMs[operation]! + endMs[operation]!) / 2;
      this.pin(middleMs);
      const isShown = middleMs > this.view.fromMs && middleMs < this.view.toMs;
      if (!isShown) {
        const half = this.view.spanMs / 2;
        this.view.glideTo(middleMs - half, middleMs + half);
      }
    }
    this.redraw();
  }

  setFilter(filter: Filter): void {
    this.filter = filter;
    this.redraw();
  }

  /** Shows the operations that contradict each other, and the moment. */
  goToViolation(): void {
    const { run } = this;
    const accused = [...run.accused];
    const atMs = run.violationMs;
    if (atMs === undefined) return;
    const fromMs = Math.min(atMs, ...accused.map((i) => run.callMs[i]!));
    const toMs = Math.max(atMs, ...accused.map((i) => Math.min(run.endMs[i]!, atMs + 200)));
    const aroundMs = Math.max(LEAST_AROUND_MS, (toMs - fromMs) * 0.35);
    this.selected = run.paths.find(({ order }) => order.stuck >= 0)?.order.stuck ?? -1;
    this.pin(atMs);
    this.view.glideTo(fromMs - aroundMs, toMs + aroundMs);
  }

  /** To the next fault, or (-1) the one before the cursor. */
  goToFault(direction: 1 | -1): void {
    const { faults } = this.run.record;
    const next =
      direction === 1
        ? faults.find(({ fromMs }) => fromMs > this.cursorMs + 1e-6)
        : faults.findLast(({ fromMs }) => fromMs < this.cursorMs - 1e-6);
    if (next !== undefined) this.goToFaultAt(next.fromMs, next.toMs);
  }

  goToFaultAt(fromMs: number, toMs: number): void {
    const aroundMs = Math.max(LEAST_AROUND_MS * 4, (toMs - fromMs) * 0.6);
    this.selected = -1;
    this.pin(fromMs);
    this.view.glideTo(fromMs - aroundMs, toMs + aroundMs);
  }

  /** Along the order that the chosen operation stands in. */
  step(direction: 1 | -1): void {
    const path = this.run.pathOf[this.selected] ?? -1;
    const order = this.run.paths[path]?.order;
    if (order === undefined) return;
    const { operations } = order;
    const at = this.run.placeInPath[this.selected]!;
    // What has no place stands behind all that have one.
    const place = at < 0 ? operations.length : at;
    const next = operations[place + direction];
    if (next !== undefined) this.select(next, true);
  }

  redraw(): void {
    this.#schedule('picture');
    this.#rememberAddress();
  }

  redrawOverlay(): void {
    this.#schedule('overlay');
    this.#rememberAddress();
  }

  #schedule(what: 'picture' | 'overlay'): void {
    const isScheduled = this.#isStale.picture || this.#isStale.overlay;
    this.#isStale[what] = true;
    if (!isScheduled) requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    const { picture } = this.#isStale;
    this.#isStale = { picture: false, overlay: false };
    const { width, height } = this.#layout;
    if (picture) {
      fitCanvas(this.#picture, width, height);
      this.messages = paint(this.scene(this.#picture));
    }
    fitCanvas(this.overlay, width, height);
    const scene = this.scene();
    scene.context.clearRect(0, 0, width, height);
    const { isPinned, hovered: operation } = this;
    const atMs = isPinned ? this.cursorMs : this.view.nearest(this.cursorMs);
    drawCursor(scene, { atMs, isPinned, operation });
    this.#inspector.show(atMs, this.selected);
  }

  /** Whoever prints waits for no frame. */
  #changeMedium(): void {
    this.#theme = readTheme();
    this.#layout = layOut(this.run, this.#width());
    this.#isStale = { picture: true, overlay: true };
    this.#draw();
  }

  #width(): number {
    if (this.#paper.matches) return PRINT_PX;
    return Math.max(320, this.#picture.parentElement!.clientWidth);
  }

  #resized(): void {
    this.#layout = layOut(this.run, this.#width());
    this.redraw();
  }

  /** Browsers refuse addresses that change with every frame. */
  #rememberAddress(): void {
    clearTimeout(this.#addressTimer);
    this.#addressTimer = setTimeout(() => {
      const { fromMs, toMs, durationMs } = this.view;
      const isWhole = fromMs === 0 && toMs === durationMs;
      const address = addressOf({
        fromMs: isWhole ? undefined : fromMs,
        toMs: isWhole ? undefined : toMs,
        atMs: this.isPinned ? this.cursorMs : undefined,
        operation: this.selected < 0 ? undefined : this.selected,
        filter: this.filter,
      });
      history.replaceState(null, '', address);
    }, ADDRESS_DELAY_MS);
  }
}
