/** Directories that are there after a crash. */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HoldfastError } from '../../src/base/index.ts';
import { messageOf } from '../../src/log-store/index.ts';

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Makes the directory a file goes into, with those above it, and makes their names durable. */
export function makeParentDirectory(file: string): void {
  const parent = dirname(resolve(file));
  try {
    const topmost = mkdirSync(parent, { recursive: true });
    if (topmost === undefined) return;
    for (let path = parent; path.length >= topmost.length; path = dirname(path)) {
      syncDirectory(dirname(path));
    }
  } catch (error) {
    throw new HoldfastError(
      'data-directory',
      `cannot create ${parent} (${messageOf(error)}); name a place this process may write to`,
      { cause: error },
    );
  }
}
