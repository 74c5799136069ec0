/**
 * The page's script, from its compiled modules: each becomes a function that returns what it
 * exports, and stands behind those it imports from. So a page needs no loader and no second file.
 */
import { readFileSync } from 'node:fs';

const ENTRY = new URL('./page/main.js', import.meta.url);
const IMPORT = /^import \{ ([^}]*) \} from '([^']+)';\n/gm;
const EXPORT = /^export (?=(?:const|function|class) (\w+))/gm;

interface Module {
  readonly name: string;
  readonly text: string;
}

/** @throws Error for a module that is written in a way this does not know */
export function pageScript(): string {
  const modules = new Map<string, Module>();
  add(ENTRY, modules, []);
  const text = [...modules.values()].map((one) => one.text).join('');
  // Such a text would end the script, or hide the rest of it, wherever it stands.
  if (/<\/script|<!--/i.test(text)) throw new Error('the script of the page must not hold markup');
  return `'use strict';\n${text}`;
}

function add(url: URL, modules: Map<string, Module>, above: readonly string[]): Module {
  const known = modules.get(url.href);
  if (known !== undefined) return known;
  if (above.includes(url.href)) throw new Error(`${url.pathname} imports itself, through others`);
  const source = readFileSync(url, 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/gm, '');
  const body = source.replace(IMPORT, (_, names: string, path: string) => {
    const from = add(new URL(path, url), modules, [...above, url.href]);
    return `const { ${names.replaceAll(' as ', ': ')} } = ${from.name};\n`;
  });
  const names = [...body.matchAll(EXPORT)].map((match) => match[1]!);
  const plain = body.replace(EXPORT, '').replace(/^export \{\};\n?/m, '');
  const left = /^(?:import|export)\b.*$/m.exec(plain);
  if (left !== null) throw new Error(`${url.pathname}: cannot be inlined: ${left[0]}`);
  const name = `module${modules.size}`;
  const text = `const ${name} = (() => {\n${plain}return { ${names.join(', ')} };\n})();\n`;
  const module = { name, text };
  modules.set(url.href, module);
  return module;
}
