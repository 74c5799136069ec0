/** `--store sqlite|level|memory`, and where in the data directory each kind lives. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../base/index.ts';
import { makeDirectory } from '../log-store/directory.ts';
import type { LogStore } from '../log-store/index.ts';
import { usageError } from './exit.ts';

const STORE_KINDS = ['sqlite', 'level', 'memory'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** What marks a data directory as belonging to a kind of store. */
const MARKS: Readonly<Record<Exclude<StoreKind, 'memory'>, string>> = {
  sqlite: 'holdfast.db',
  level: 'level',
};

export function parseStoreKind(text: string): StoreKind {
  const found = STORE_KINDS.find((kind) => kind === text);
  if (found !== undefined) return found;
  throw usageError(`unknown store '${text}': --store takes ${STORE_KINDS.join(', ')}`);
}

/** The store of this kind in this directory, which is created. The driver is loaded only now. */
export async function createStore(kind: StoreKind, directory: string): Promise<LogStore> {
  if (kind === 'memory') {
    const { MemoryLogStore } = await import('../log-store/index.ts');
    return new MemoryLogStore();
  }
  for (const [other, mark] of Object.entries(MARKS)) {
    if (other !== kind && existsSync(join(directory, mark))) {
      throw new HoldfastError(
        'data-directory',
        `'${directory}' holds the data of a ${other} store: start with --store ${other}, ` +
          'or give another directory with --data',
      );
    }
  }
  makeDirectory(directory);
  const path = join(directory, MARKS[kind]);
  if (kind === 'sqlite') {
    const sqlite = import('../../adapters/sqlite/index.ts');
    const { SqliteLogStore } = await withDriver(kind, 'better-sqlite3@12', sqlite);
    return new SqliteLogStore({ path });
  }
  const level = import('../../adapters/level/index.ts');
  const { LevelLogStore } = await withDriver(kind, 'classic-level@3', level);
  return new LevelLogStore({ path });
}

/** Drivers are optional: whoever embeds Holdfast may have installed neither. */
async function withDriver<T>(kind: StoreKind, driver: string, adapter: Promise<T>): Promise<T> {
  try {
    return await adapter;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw usageError(`--store ${kind} needs a driver that is not installed: npm install ${driver}`);
  }
}
