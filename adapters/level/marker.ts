/**
 * A file beside LevelDB's own that says whose directory this is. It is there before LevelDB is, so a
 * directory with other things in it is refused before anything in it is touched.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../../src/base/index.ts';
import { makeDirectory, syncDirectory, unusablePlace } from '../../src/log-store/index.ts';

const NAME = 'HOLDFAST';
const TEXT = 'holdfast log store, level, layout 1\n';

function refuse(path: string, found: string, advice: string): never {
  throw new HoldfastError('data-directory', `${path} ${found}; ${advice}`);
}

/** Whether the directory is a store of this layout. Throws `data-directory` when it is another thing. */
export function isStore(path: string): boolean {
  let names: string[];
  let text: string | undefined;
  try {
    if (!existsSync(path)) return false;
    names = readdirSync(path).filter((name) => name !== `${NAME}.new`);
    text = names.includes(NAME) ? readFileSync(join(path, NAME), 'utf8') : undefined;
  } catch (error) {
    throw unusablePlace(path, error);
  }
  if (names.length === 0) return false;
  if (text === TEXT) return true;
  if (text === undefined) {
    refuse(path, 'holds files that are not of a holdfast log store', 'name an empty directory');
  }
  return refuse(path, `is marked "${text.trim()}"`, 'use the program it was written by');
}

/** Claims the directory, creating it when needed. Returns whether it was a store before. */
export function claimDirectory(path: string): boolean {
  if (isStore(path)) return true;
  makeDirectory(path);
  try {
    const file = openSync(join(path, `${NAME}.new`), 'w');
    try {
      writeSync(file, TEXT);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(join(path, `${NAME}.new`), join(path, NAME));
    syncDirectory(path);
  } catch (error) {
    throw unusablePlace(path, error);
  }
  return false;
}

/** Gives the directory up, and removes it if nothing is left in it. */
export function releaseDirectory(path: string): void {
  rmSync(join(path, NAME), { force: true });
  if (existsSync(path) && readdirSync(path).length === 0) rmdirSync(path);
}
