/** `SqliteLogStore`: a log store in one SQLite file. Needs the package `better-sqlite3`. */
import { optionNames, refuseUnknownOptions } from '../../src/base/index.ts';
import { BackedLogStore, BlockBackend } from '../../src/log-store/index.ts';
import { SqliteMedium } from './sqlite-medium.ts';

export interface SqliteLogStoreOptions {
  /** The database file. It and the directories above it are created when missing. */
  readonly path: string;
  /**
   * `full` (default): one fsync per write, durable in write-ahead-log mode. `extra` also syncs the
   * directory when a journal is removed.
   */
  readonly synchronous?: 'full' | 'extra';
}

const NAMES = optionNames<SqliteLogStoreOptions>({ path: true, synchronous: true });

/**
 * Keeps a node's log in a SQLite database: one transaction and one fsync per write, entries in
 * blocks of up to 256 KiB. The file is locked as long as it is open.
 *
 * @example
 * const store = new SqliteLogStore({ path: 'data/a.db' });
 */
export class SqliteLogStore extends BackedLogStore {
  constructor(options: SqliteLogStoreOptions) {
    refuseUnknownOptions('SqliteLogStore', options, NAMES);
    const { path, synchronous = 'full' } = options;
    super(new BlockBackend(new SqliteMedium({ path, synchronous })));
  }
}
