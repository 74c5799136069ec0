/** The row of controls: filters, zoom, and links from the page into the timeline. */
import { find, findAs, make } from './element.ts';
import type { Stage } from './stage.ts';

/** Gives back what brings the controls in line with the filter. */
export function followControls(stage: Stage): () => void {
  const { run, view } = stage;
  const key = new Choice('filter-key', 'all keys', run.keys);
  const process = new Choice('filter-process', 'all processes', run.processes.map(String));
  const nodes = run.record.nodes.map((timeline) => timeline.node);
  const node = new Choice('filter-node', 'all nodes', nodes);
  const read = (): void => {
    const number = process.name === undefined ? undefined : Number(process.name);
    stage.setFilter({ key: key.name, process: number, node: node.name });
  };
  for (const choice of [key, process, node]) choice.element.addEventListener('change', read);
  const show = (): void => {
    key.show(stage.filter.key);
    process.show(stage.filter.process?.toString());
    node.show(stage.filter.node);
  };
  show();
  const middleMs = (): number => (view.fromMs + view.toMs) / 2;
  find('zoom-in').addEventListener('click', () => view.zoom(0.5, middleMs(), true));
  find('zoom-out').addEventListener('click', () => view.zoom(2, middleMs(), true));
  find('zoom-all').addEventListener('click', () => view.glideTo(0, view.durationMs));
  followLinks(stage);
  return show;
}

/** One of some names, or all. The options' values are places: a key may be any text. */
class Choice {
  readonly element: HTMLSelectElement;
  readonly #names: readonly string[];

  constructor(id: string, all: string, names: readonly string[]) {
    this.element = findAs(HTMLSelectElement, id);
    this.#names = names;
    this.element.replaceChildren(...[all, ...names].map((name) => make('option', '', name)));
  }

  get name(): string | undefined {
    return this.#names[this.element.selectedIndex - 1];
  }

  show(name: string | undefined): void {
    this.element.selectedIndex = name === undefined ? 0 : this.#names.indexOf(name) + 1;
  }
}

/** Elements with `data-go` lead into the timeline, or copy a text. */
function followLinks(stage: Stage): void {
  document.addEventListener('click', (event) => {
    if (!(event.target instanceof Element)) return;
    const link = event.target.closest<HTMLElement>('[data-go]');
    if (link === null) return;
    event.preventDefault();
    const { go, text, place } = link.dataset;
    if (go === 'copy') {
      void copy(text ?? '', link);
      return;
    }
    goTo(stage, go, Number(place));
    find('timeline').scrollIntoView({ block: 'start', behavior: 'smooth' });
  });
}

function goTo(stage: Stage, where: string | undefined, place: number): void {
  if (where === 'fault') {
    const fault = stage.run.record.faults[place];
    if (fault !== undefined) stage.goToFaultAt(fault.fromMs, fault.toMs);
    return;
  }
  stage.goToViolation();
  if (where === 'operation') stage.select(place, true);
}

async function copy(text: string, button: HTMLElement): Promise<void> {
  await navigator.clipboard.writeText(text);
  button.textContent = 'Copied';
}
