/** Directories and names that are still there after a crash. */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HoldfastError } from '../base/index.ts';
import { messageOf } from './errors.ts';

/** The place a store was told to use cannot be used. */
export function unusablePlace(path: string, error: unknown): HoldfastError {
  return new HoldfastError(
    'data-directory',
    `cannot use ${path} (${messageOf(error)}); name a place this process may read and write`,
    { cause: error },
  );
}

/** Makes the names in a directory durable. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Makes a directory and those above it, durably. Throws `data-directory` when it cannot. */
export function makeDirectory(path: string): void {
  const wanted = resolve(path);
  try {
    const topmost = mkdirSync(wanted, { recursive: true });
    if (topmost === undefined) return;
    for (let made = wanted; made.length >= topmost.length; made = dirname(made)) {
      syncDirectory(dirname(made));
    }
  } catch (error) {
    throw unusablePlace(path, error);
  }
}
