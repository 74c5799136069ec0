/** Stores that each break one promise of the contract: the conformance suite must notice. */
import { join } from 'node:path';
import { SqliteLogStore } from '../../adapters/sqlite/index.ts';
import { SqliteMedium } from '../../adapters/sqlite/sqlite-medium.ts';
import { LevelMedium } from '../../adapters/level/level-medium.ts';
import { HoldfastError } from '../../src/base/index.ts';
import { BackedLogStore, BlockBackend } from '../../src/log-store/index.ts';
import type {
  LogIndex,
  LogStore,
  OpenOptions,
  RecoveredLog,
  WriteBatch,
} from '../../src/log-store/index.ts';

export function createUnsyncedSqlite(directory: string): LogStore {
  const path = join(directory, 'log.db');
  return new BackedLogStore(new BlockBackend(new SqliteMedium({ path, synchronous: 'off' })));
}

export function createUnsyncedLevel(directory: string): LogStore {
  const path = join(directory, 'log');
  return new BackedLogStore(new BlockBackend(new LevelMedium({ path, sync: false })));
}

/** The vote in one transaction, the entries in another. */
class TwoStepStore extends SqliteLogStore {
  override async write({ metadata, ...rest }: WriteBatch): Promise<void> {
    await super.write({ metadata });
    await super.write(rest);
  }
}

/** Keeps the first of the entries it should drop. */
class OffByOneStore extends SqliteLogStore {
  override write(batch: WriteBatch): Promise<void> {
    if (batch.truncateFrom === undefined || batch.truncateFrom >= this.lastIndex()) {
      return super.write(batch);
    }
    return super.write({ ...batch, truncateFrom: (batch.truncateFrom + 1) as LogIndex });
  }
}

/** Takes damage for a reason to start over. */
class ForgetfulStore extends SqliteLogStore {
  override async open(options: OpenOptions): Promise<RecoveredLog> {
    try {
      return await super.open(options);
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'corrupt-data') throw error;
      await this.destroy();
      return super.open(options);
    }
  }
}

export function createTwoStep(directory: string): LogStore {
  return new TwoStepStore({ path: join(directory, 'log.db') });
}

export function createOffByOne(directory: string): LogStore {
  return new OffByOneStore({ path: join(directory, 'log.db') });
}

export function createForgetful(directory: string): LogStore {
  return new ForgetfulStore({ path: join(directory, 'log.db') });
}

/** For child processes, which import this module by name. */
export const module: URL = new URL(import.meta.url);
