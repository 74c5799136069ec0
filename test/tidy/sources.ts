/** The tree's own TypeScript sources, as text. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SourceFile {
  /** Relative to the tree's root. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  /** The lines without comments (and with string contents kept). */
  readonly code: readonly string[];
}

const ROOTS = ['src', 'adapters', 'jepsen-lite', 'test', 'bench', 'examples'];

function* walk(directory: string): Iterable<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.name.endsWith('.ts')) yield path;
  }
}

/** Blanks comments out, keeping line numbers. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** Every source file; the tests run with the tree's root as working directory. */
export function sourceFiles(): SourceFile[] {
  const present = new Set(readdirSync('.'));
  return ROOTS.filter((root) => present.has(root))
    .flatMap((root) => [...walk(root)])
    .map((path) => {
      const text = readFileSync(path, 'utf8');
      const code = withoutComments(text).split('\n');
      return { path, text, lines: text.replace(/\n$/, '').split('\n'), code };
    });
}
