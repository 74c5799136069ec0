/**
 * Puts a bug into a copy of the build: the copy is the one in memory that a process of its own
 * loads, so the build itself stays as it is.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { editsOf, type Edit, type Mutant } from './mutant.ts';

/** A bug that cannot be planted in this build. */
export class PlantingError extends Error {
  override readonly name = 'PlantingError';
}

const BUILD = new URL('../../', import.meta.url);

/** Where a file of the build is. */
export function urlInBuild(file: string): string {
  const { href } = new URL(file, BUILD);
  if (!href.startsWith(BUILD.href)) throw new PlantingError(`${file} is not in the build`);
  return href;
}

/**
 * The source with an edit made.
 * @throws PlantingError when its text does not occur exactly once
 */
export function withEdit(source: string, { file, text, replacement }: Edit): string {
  const times = text === '' ? 0 : source.split(text).length - 1;
  if (times !== 1) {
    throw new PlantingError(`its text occurs ${times} times in ${file}, not once: ${text}`);
  }
  const at = source.indexOf(text);
  return source.slice(0, at) + replacement + source.slice(at + text.length);
}

/** What a bug makes of the files it changes, by their URLs. */
export type PlantedSources = Readonly<Record<string, string>>;

/** @throws PlantingError when the build has not what the bug wants to change */
export async function plant(mutant: Mutant): Promise<PlantedSources> {
  const sources: Record<string, string> = {};
  for (const edit of editsOf(mutant)) {
    const url = urlInBuild(edit.file);
    try {
      sources[url] = withEdit(sources[url] ?? (await sourceOf(url)), edit);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new PlantingError(`mutant ${mutant.id}: ${why}`);
    }
  }
  return sources;
}

async function sourceOf(url: string): Promise<string> {
  return await readFile(fileURLToPath(url), 'utf8');
}
