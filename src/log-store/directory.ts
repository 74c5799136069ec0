/** Directories and names that are still there after a crash. */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
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
  try {
    makeMissingDirectories(path);
  } catch (error) {
    throw unusablePlace(path, error);
  }
}

/**
 * The same, and throws what the system says. Step by step: Node's own recursive mkdir never returns
 * where ENOENT means a refusal, as under /proc.
 */
export function makeMissingDirectories(path: string): void {
  const whole = resolve(path);
  if (existsSync(whole) && statSync(whole).isDirectory()) return;
  const parent = dirname(whole);
  if (parent !== whole) makeMissingDirectories(parent);
  mkdirSync(whole);
  syncDirectory(parent);
}
