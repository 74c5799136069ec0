/** The keyboard; the page lists the same keys (`?`). */
import { find, findAs } from './element.ts';
import { NO_FILTER } from './scene.ts';
import type { Stage } from './stage.ts';

const ZOOM = 0.6;
const PAN_SHARE = 0.2;
const SCRUB_SHARE = 0.004;

export function followKeyboard(stage: Stage, filterChanged: () => void): void {
  const help = findAs(HTMLDialogElement, 'keys');
  find('show-keys').addEventListener('click', () => help.showModal());
  help.addEventListener('click', () => help.close());
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === '?') {
      if (help.open) help.close();
      else help.showModal();
      event.preventDefault();
      return;
    }
    if (help.open || !act(stage, event, filterChanged)) return;
    event.preventDefault();
  });
}

/** Whether the key means something. */
function act(stage: Stage, event: KeyboardEvent, filterChanged: () => void): boolean {
  const { view } = stage;
  const middleMs = stage.isPinned ? view.nearest(stage.cursorMs) : (view.fromMs + view.toMs) / 2;
  const scrub = view.spanMs * SCRUB_SHARE * (event.shiftKey ? 10 : 1);
  const actions: Readonly<Record<string, () => void>> = {
    '+': () => view.zoom(ZOOM, middleMs, true),
    '=': () => view.zoom(ZOOM, middleMs, true),
    '-': () => view.zoom(1 / ZOOM, middleMs, true),
    a: () =>
      view.glideTo(view.fromMs - view.spanMs * PAN_SHARE, view.toMs - view.spanMs * PAN_SHARE),
    d: () =>
      view.glideTo(view.fromMs + view.spanMs * PAN_SHARE, view.toMs + view.spanMs * PAN_SHARE),
    ArrowLeft: () => stage.pin(stage.cursorMs - scrub),
    ArrowRight: () => stage.pin(stage.cursorMs + scrub),
    0: () => view.glideTo(0, view.durationMs),
    Home: () => view.glideTo(0, view.durationMs),
    v: () => stage.goToViolation(),
    n: () => stage.goToFault(1),
    p: () => stage.goToFault(-1),
    '[': () => stage.step(-1),
    ']': () => stage.step(1),
    Escape: () => {
      stage.pin(undefined);
      stage.select(-1);
      stage.setFilter(NO_FILTER);
      filterChanged();
    },
  };
  const action = Object.hasOwn(actions, event.key) ? actions[event.key] : undefined;
  action?.();
  return action !== undefined;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
}
