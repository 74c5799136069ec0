/** The mouse: pointing scrubs, dragging moves, shift-drag and the strip choose, the wheel zooms. */
import { GUTTER } from './layout.ts';
import { plotWidth } from './scene.ts';
import type { Stage } from './stage.ts';
import { Tooltip } from './tooltip.ts';

/** Less than this between down and up is a click. */
const CLICK_PX = 4;
const ZOOM_PER_PX = 0.0022;
const HANDLE_PX = 6;

type Drag =
  | { readonly type: 'pan'; readonly fromMs: number; readonly spanMs: number }
  | { readonly type: 'choose'; readonly startMs: number }
  /** In the strip: one end of the window, or (`both`) all of it. */
  | { readonly type: 'window'; readonly end: 'from' | 'to' | 'both'; readonly gripMs: number };

export function followPointer(stage: Stage): void {
  new Pointer(stage).listen();
}

class Pointer {
  readonly #stage: Stage;
  readonly #tooltip: Tooltip;
  #drag: Drag | undefined;
  #down = { x: 0, y: 0 };

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#tooltip = new Tooltip(stage);
  }

  listen(): void {
    const { overlay } = this.#stage;
    overlay.addEventListener('pointerdown', (event) => this.#press(event));
    overlay.addEventListener('pointermove', (event) => this.#move(event));
    overlay.addEventListener('pointerup', (event) => this.#release(event));
    overlay.addEventListener('pointerleave', () => this.#leave());
    overlay.addEventListener('dblclick', (event) => {
      this.#stage.view.zoom(0.25, this.#stage.timeAt(event.offsetX), true);
    });
    overlay.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0) return;
    const { offsetX: x, offsetY: y } = event;
    this.#down = { x, y };
    this.#stage.overlay.setPointerCapture(event.pointerId);
    const { fromMs, spanMs } = this.#stage.view;
    if (this.#isInStrip(y)) this.#drag = this.#grip(x);
    else if (event.shiftKey) this.#drag = { type: 'choose', startMs: this.#stage.timeAt(x) };
    else this.#drag = { type: 'pan', fromMs, spanMs };
  }

  #move(event: PointerEvent): void {
    const { offsetX: x, offsetY: y } = event;
    const stage = this.#stage;
    if (this.#drag === undefined) {
      stage.overlay.style.cursor = this.#isInStrip(y) ? 'ew-resize' : 'crosshair';
      if (!stage.isPinned && !this.#isInStrip(y) && x >= GUTTER) stage.cursorMs = stage.timeAt(x);
      stage.hovered = this.#tooltip.showAt(x, y);
      stage.redrawOverlay();
      return;
    }
    this.#tooltip.hide();
    this.#continue(this.#drag, x);
  }

  #continue(drag: Drag, x: number): void {
    const { view } = this.#stage;
    switch (drag.type) {
      case 'pan': {
        if (Math.abs(x - this.#down.x) < CLICK_PX && view.fromMs === drag.fromMs) return;
        const byMs = ((this.#down.x - x) * drag.spanMs) / plotWidth(this.#stage.layout);
        view.show(drag.fromMs + byMs, drag.fromMs + byMs + drag.spanMs);
        return;
      }
      case 'choose':
        this.#stage.pin(this.#stage.timeAt(x));
        return;
      case 'window': {
        const atMs = this.#stripTime(x);
        const { spanMs, fromMs, toMs } = view;
        if (drag.end === 'from') view.show(Math.min(atMs, toMs), toMs);
        else if (drag.end === 'to') view.show(fromMs, Math.max(atMs, fromMs));
        else view.show(atMs - drag.gripMs, atMs - drag.gripMs + spanMs);
        return;
      }
    }
  }

  #release(event: PointerEvent): void {
    const drag = this.#drag;
    this.#drag = undefined;
    const { offsetX: x, offsetY: y } = event;
    const stage = this.#stage;
    const isClick = Math.hypot(x - this.#down.x, y - this.#down.y) < CLICK_PX;
    if (drag?.type === 'choose' && !isClick) {
      const ends = [drag.startMs, stage.timeAt(x)].toSorted((a, b) => a - b);
      stage.pin(undefined);
      stage.view.glideTo(ends[0]!, ends[1]!);
    } else if (isClick && drag?.type !== 'window') {
      this.#click(x, y);
    }
  }

  /** An operation is chosen; anywhere else the moment is held, or let go. */
  #click(x: number, y: number): void {
    const stage = this.#stage;
    const operation = this.#tooltip.showAt(x, y);
    if (operation >= 0) {
      stage.select(operation);
      stage.pin(stage.timeAt(x));
      return;
    }
    const isHeld = stage.isPinned || stage.selected >= 0;
    stage.select(-1);
    stage.pin(isHeld ? undefined : stage.timeAt(x));
  }

  #leave(): void {
    this.#tooltip.hide();
    this.#stage.hovered = -1;
    this.#stage.redrawOverlay();
  }

  /** Sideways moves, with a key or a pinch it zooms; else the page scrolls as pages do. */
  #wheel(event: WheelEvent): void {
    const { view } = this.#stage;
    const isZoom = event.ctrlKey || event.metaKey || event.altKey;
    const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
    if (isZoom) {
      event.preventDefault();
      const faster = event.ctrlKey && Math.abs(event.deltaY) < 20 ? 4 : 1;
      const factor = Math.exp(event.deltaY * ZOOM_PER_PX * faster);
      view.zoom(factor, this.#stage.timeAt(event.offsetX));
    } else if (Math.abs(sideways) > Math.abs(event.deltaY) || event.shiftKey) {
      event.preventDefault();
      view.pan((sideways * view.spanMs) / plotWidth(this.#stage.layout));
    }
  }

  #isInStrip(y: number): boolean {
    const { top, height } = this.#stage.layout.overview;
    return y >= top - 4 && y <= top + height + 4;
  }

  #stripTime(x: number): number {
    return ((x - GUTTER) / plotWidth(this.#stage.layout)) * this.#stage.view.durationMs;
  }

  /** What of the window the pointer took hold of; a press beside it moves it there. */
  #grip(x: number): Drag {
    const { view } = this.#stage;
    const pxPerMs = plotWidth(this.#stage.layout) / view.durationMs;
    const from = GUTTER + view.fromMs * pxPerMs;
    const to = GUTTER + view.toMs * pxPerMs;
    if (Math.abs(x - from) <= HANDLE_PX) return { type: 'window', end: 'from', gripMs: 0 };
    if (Math.abs(x - to) <= HANDLE_PX) return { type: 'window', end: 'to', gripMs: 0 };
    const atMs = this.#stripTime(x);
    if (x > from && x < to) return { type: 'window', end: 'both', gripMs: atMs - view.fromMs };
    const gripMs = view.spanMs / 2;
    view.show(atMs - gripMs, atMs + gripMs);
    return { type: 'window', end: 'both', gripMs };
  }
}
