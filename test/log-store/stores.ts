/** The stores of this project as the conformance suite and its child processes make them. */
import { join } from 'node:path';
import { LevelLogStore } from '../../adapters/level/index.ts';
import { SqliteLogStore } from '../../adapters/sqlite/index.ts';
import { MemoryLogStore } from '../../src/log-store/index.ts';

export function createMemory(): MemoryLogStore {
  return new MemoryLogStore();
}

export function createSqlite(directory: string): SqliteLogStore {
  return new SqliteLogStore({ path: join(directory, 'log.db') });
}

export function createLevel(directory: string): LevelLogStore {
  return new LevelLogStore({ path: join(directory, 'log') });
}

/** For child processes, which import this module by name. */
export const module: URL = new URL(import.meta.url);
