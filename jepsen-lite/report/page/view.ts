/** The part of the run that is on the screen, and how it moves. */

/** Nothing is looked at closer than this. */
const MIN_SPAN_MS = 0.02;
const GLIDE_MS = 180;

export class View {
  fromMs = 0;
  toMs: number;
  readonly durationMs: number;
  readonly #changed: () => void;
  #glide = 0;

  constructor(durationMs: number, changed: () => void) {
    this.durationMs = durationMs;
    this.toMs = durationMs;
    this.#changed = changed;
  }

  get spanMs(): number {
    return this.toMs - this.fromMs;
  }

  /** The moment itself while it is on the screen, else the edge it is beyond. */
  nearest(atMs: number): number {
    return Math.min(this.toMs, Math.max(this.fromMs, atMs));
  }

  /** Shows this part at once, kept inside the run. */
  show(fromMs: number, toMs: number): void {
    cancelAnimationFrame(this.#glide);
    this.#set(fromMs, toMs);
  }

  /** Glides there, unless the reader wants no motion. */
  glideTo(fromMs: number, toMs: number): void {
    cancelAnimationFrame(this.#glide);
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.#set(fromMs, toMs);
      return;
    }
    const start = { fromMs: this.fromMs, spanMs: this.spanMs };
    const spanMs = toMs - fromMs;
    let beganMs = -1;
    const step = (nowMs: number): void => {
      if (beganMs < 0) beganMs = nowMs;
      const share = Math.min(1, (nowMs - beganMs) / GLIDE_MS);
      const eased = 1 - (1 - share) ** 3;
      // Spans change by factors, so that far and near zooms feel the same.
      const span = start.spanMs * (spanMs / start.spanMs) ** eased;
      const along =
        Math.abs(spanMs - start.spanMs) < 1e-9 ? eased : rest(start.spanMs, spanMs, span);
      const from = start.fromMs + (fromMs - start.fromMs) * along;
      this.#set(from, from + span);
      if (share < 1) this.#glide = requestAnimationFrame(step);
    };
    this.#glide = requestAnimationFrame(step);
  }

  /** Keeps the moment `aroundMs` where it is on the screen; a factor below 1 goes closer. */
  zoom(factor: number, aroundMs: number, glides = false): void {
    const spanMs = Math.min(this.durationMs, Math.max(MIN_SPAN_MS, this.spanMs * factor));
    const share = (aroundMs - this.fromMs) / this.spanMs;
    const fromMs = aroundMs - share * spanMs;
    if (glides) this.glideTo(fromMs, fromMs + spanMs);
    else this.show(fromMs, fromMs + spanMs);
  }

  pan(byMs: number): void {
    this.show(this.fromMs + byMs, this.toMs + byMs);
  }

  #set(fromMs: number, toMs: number): void {
    const spanMs = Math.min(this.durationMs, Math.max(MIN_SPAN_MS, toMs - fromMs));
    this.fromMs = Math.min(Math.max(0, fromMs), this.durationMs - spanMs);
    this.toMs = this.fromMs + spanMs;
    this.#changed();
  }
}

/** How much of the way is behind, told by the span: then one point of the picture stands still. */
function rest(before: number, after: number, now: number): number {
  return (now - before) / (after - before);
}
