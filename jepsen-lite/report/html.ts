/** Text that is safe inside HTML. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Markup; only `html` and `markup` make it, so plain text cannot be taken for it. */
export interface Html {
  readonly markup: string;
}

type Part = string | number | Html | readonly Html[];

/** A template whose parts are escaped, unless they are markup themselves. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let all = texts[0]!;
  parts.forEach((part, i) => {
    all += markupOf(part) + texts[i + 1]!;
  });
  return { markup: all };
}

/** Markup that was written by hand: never what a run says. */
export function markup(text: string): Html {
  return { markup: text };
}

export const NOTHING: Html = { markup: '' };

/** JSON inside a script element: nothing in it can end the element or open a comment. */
export function scriptJson(value: unknown): Html {
  const text = JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return { markup: text };
}

function markupOf(part: Part): string {
  if (typeof part === 'string') return part.replace(/[&<>"']/g, (c) => ENTITIES[c]!);
  if (typeof part === 'number') return String(part);
  if ('markup' in part) return part.markup;
  return part.map((one) => one.markup).join('');
}
