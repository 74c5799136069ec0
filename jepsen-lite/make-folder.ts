/** Folders for what runs leave behind. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes the folder, and those it lies in, unless it is there. Step by step: where nothing can be
 * made, as below `/proc`, Node's own `recursive` never ends.
 * @throws Error with what the system says
 */
export function makeFolder(path: string): void {
  makeWhole(resolve(path));
}

function makeWhole(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  makeWhole(dirname(path));
  mkdirSync(path);
}
