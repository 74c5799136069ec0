/**
 * A file beside LevelDB's own that says whose directory this is. It is there before LevelDB is, so
 * a directory with other things in it is refused before anything in it is touched; and it says when
 * creation is over, since LevelDB does not sync all of what it creates.
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
const NEW_NAME = `${NAME}.new`;
const CREATING = 'holdfast log store, level, being created\n';
const CREATED = 'holdfast log store, level, layout 1\n';

/** `unfinished`: nothing was ever acknowledged, what is there may be thrown away. */
export type DirectoryState = 'absent' | 'unfinished' | 'store';

function refuse(path: string, found: string, advice: string): never {
  throw new HoldfastError('data-directory', `${path} ${found}; ${advice}`);
}

/** Looks at a directory without touching it. Throws `data-directory` when it is another thing. */
export function directoryState(path: string): DirectoryState {
  let names: string[];
  let text: string | undefined;
  try {
    if (!existsSync(path)) return 'absent';
    names = readdirSync(path).filter((name) => name !== NEW_NAME);
    text = names.includes(NAME) ? readFileSync(join(path, NAME), 'utf8') : undefined;
  } catch (error) {
    throw unusablePlace(path, error);
  }
  if (names.length === 0) return 'absent';
  switch (text) {
    case CREATED:
      return 'store';
    case CREATING:
      return 'unfinished';
    case undefined:
      return refuse(path, 'holds files of something else', 'name an empty directory');
    default:
      return refuse(path, `is marked "${text.trim()}"`, 'use the program it was written by');
  }
}

function writeMarker(path: string, text: string): void {
  try {
    const file = openSync(join(path, NEW_NAME), 'w');
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(join(path, NEW_NAME), join(path, NAME));
    syncDirectory(path);
  } catch (error) {
    throw unusablePlace(path, error);
  }
}

/** Claims the directory, making it when it is absent. */
export function beginCreation(path: string): void {
  makeDirectory(path);
  writeMarker(path, CREATING);
}

/** Everything that makes an empty store is durable now. */
export function endCreation(path: string): void {
  writeMarker(path, CREATED);
}

/** Gives the directory up, and removes it if nothing is left in it. */
export function releaseDirectory(path: string): void {
  for (const name of [NAME, NEW_NAME]) rmSync(join(path, name), { force: true });
  if (existsSync(path) && readdirSync(path).length === 0) rmdirSync(path);
}
