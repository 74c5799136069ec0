/**
 * Just enough of a browser to run a report's script: elements by the ids that the page has, a
 * canvas that notes what is written on it, frames on demand.
 */
import { createContext, runInContext } from 'node:vm';

type Listener = (event: object) => void;

const WIDTH = 1200;
const KINDS = ['Canvas', 'Dialog', 'Input', 'Select'].map((kind) => `HTML${kind}Element`);

class FakeElement {
  hidden = false;
  className = '';
  open = false;
  selectedIndex = 0;
  width = 0;
  height = 0;
  offsetWidth = 200;
  offsetHeight = 100;
  readonly clientWidth: number = WIDTH;
  readonly style: Record<string, string> = {};
  readonly dataset: Record<string, string> = {};
  readonly children: (FakeElement | string)[] = [];
  readonly written: string[] = [];
  readonly #listeners = new Map<string, Listener[]>();
  readonly #context: object;
  #text = '';

  constructor() {
    this.#context = fakeContext(this.written);
  }

  get textContent(): string {
    const parts = this.children.map((one) => (typeof one === 'string' ? one : one.textContent));
    return this.#text + parts.join(' ');
  }

  set textContent(text: string) {
    this.children.length = 0;
    this.#text = text;
  }

  get parentElement(): FakeElement {
    this.#parent ??= new FakeElement();
    return this.#parent;
  }

  #parent: FakeElement | undefined;

  append(...children: (FakeElement | string)[]): void {
    this.children.push(...children);
  }

  replaceChildren(...children: (FakeElement | string)[]): void {
    this.textContent = '';
    this.append(...children);
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  dispatch(type: string, event: object): void {
    const whole = { preventDefault: () => undefined, ...event };
    for (const listener of this.#listeners.get(type) ?? []) listener(whole);
  }

  getContext(): object {
    return this.#context;
  }

  setPointerCapture(): void {}
}

/** Takes every call and every setting; measures texts as if letters were 6 px wide. */
function fakeContext(written: string[]): object {
  const gradient = { addColorStop: () => undefined };
  const known: Record<string, unknown> = {
    fillText: (text: string, x: number, y: number) => {
      if (!Number.isFinite(x) || !Number.isFinite(y)) throw new Error(`${text} at ${x}, ${y}`);
      written.push(text);
    },
    measureText: (text: string) => ({ width: text.length * 6 }),
    createLinearGradient: () => gradient,
  };
  return new Proxy(known, {
    get: (target, name) => (name in target ? target[String(name)] : () => undefined),
  });
}

export class FakePage {
  readonly document: FakeElement = new FakeElement();
  readonly #elements = new Map<string, FakeElement>();
  readonly #location = { hash: '' };
  readonly #frames = new Map<number, (nowMs: number) => void>();
  readonly #timers = new Map<number, () => void>();
  #nextId = 1;
  #nowMs = 0;

  /** Runs the script of a report as it was written. */
  constructor(html: string, hash = '') {
    this.#location.hash = hash;
    for (const [, id] of html.matchAll(/ id="([^"]+)"/g)) {
      this.#elements.set(id!, new FakeElement());
    }
    const data = /<script type="application\/json" id="run">([\s\S]*?)<\/script>/.exec(html)![1]!;
    this.element('run').textContent = data;
    const script = /<script>([\s\S]*?)<\/script>/.exec(html)![1]!;
    runInContext(script, createContext(this.#globals()));
    this.settle();
  }

  element(id: string): FakeElement {
    const element = this.#elements.get(id);
    if (element === undefined) throw new Error(`no element #${id}`);
    return element;
  }

  /** What stands on the picture since the last time this was asked. */
  takeWritten(): string[] {
    const { written } = this.element('picture');
    return written.splice(0);
  }

  press(key: string): void {
    this.document.dispatch('keydown', { key, target: null });
    this.settle();
  }

  pointer(type: string, x: number, y: number): void {
    this.element('overlay').dispatch(type, { button: 0, pointerId: 1, offsetX: x, offsetY: y });
    this.settle();
  }

  /** Lets frames pass until nothing wants another, then timers. */
  settle(): void {
    while (this.#frames.size > 0) {
      this.#nowMs += 50;
      for (const frame of takeAll(this.#frames)) frame(this.#nowMs);
    }
    for (const timer of takeAll(this.#timers)) timer();
  }

  get hash(): string {
    return this.#location.hash;
  }

  #put<T>(list: Map<number, T>, one: T): number {
    const id = this.#nextId++;
    list.set(id, one);
    return id;
  }

  #globals(): object {
    const document = Object.assign(this.document, {
      documentElement: new FakeElement(),
      getElementById: (id: string) => this.#elements.get(id) ?? null,
      createElement: () => new FakeElement(),
    });
    return {
      document,
      location: this.#location,
      history: {
        replaceState: (_: null, __: string, hash: string) => (this.#location.hash = hash),
      },
      devicePixelRatio: 2,
      URLSearchParams,
      requestAnimationFrame: (frame: (nowMs: number) => void) => this.#put(this.#frames, frame),
      cancelAnimationFrame: (id: number) => this.#frames.delete(id),
      setTimeout: (timer: () => void) => this.#put(this.#timers, timer),
      clearTimeout: (id: number) => this.#timers.delete(id),
      getComputedStyle: () => ({ getPropertyValue: () => '#336699' }),
      matchMedia: (query: string) => ({
        matches: query.includes('reduced-motion'),
        addEventListener: () => undefined,
      }),
      ResizeObserver: class {
        observe(): void {}
      },
      ...Object.fromEntries(KINDS.map((name) => [name, FakeElement])),
    };
  }
}

function takeAll<T>(list: Map<number, T>): T[] {
  const all = [...list.values()];
  list.clear();
  return all;
}
