/** Making and finding elements; text goes in as text, never as markup. */

/** @throws Error when the page lacks it: page and script belong together */
export function find(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element #${id}`);
  return element;
}

/** @throws Error when the page lacks it, or it is none of these */
export function findAs<T extends HTMLElement>(kind: new () => T, id: string): T {
  const element = find(id);
  if (!(element instanceof kind)) throw new Error(`#${id} is no ${kind.name}`);
  return element;
}

export function make(
  tag: string,
  className: string,
  ...children: readonly (string | Node)[]
): HTMLElement {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  element.append(...children);
  return element;
}
