/** A log's blocks, records and snapshot chunks as rows of one SQLite database. */
import { closeSync, existsSync, openSync, readSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { HoldfastError } from '../../src/base/index.ts';
import {
  corruptData,
  decodeHead,
  makeDirectory,
  unusablePlace,
} from '../../src/log-store/index.ts';
import type { BlockChange, BlockMedium, RecordName } from '../../src/log-store/index.ts';
import { cutTornTail, examineWal } from './wal-check.ts';

/** `HFLS` in the database header says whose file this is; the layout's version stands beside it. */
const APPLICATION_ID = 0x48464c53;
const LAYOUT_VERSION = 1;
const HEADER_BYTES = 100;
/** Of a new database. Blocks and chunks are large: half as many pages are a fifth less work. */
const PAGE_BYTES = 8192;
/** In the write-ahead log before it is moved to the database, which takes some milliseconds. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
const MAX_IDLE_WAL_BYTES = 16 * 1024 * 1024;

const SCHEMA = `
  CREATE TABLE record (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE block (first INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  CREATE TABLE chunk (
    snapshot INTEGER NOT NULL, position INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (snapshot, position)
  ) WITHOUT ROWID;
`;

export interface SqliteMediumOptions {
  readonly path: string;
  /** The pragma of that name. */
  readonly synchronous: 'off' | 'normal' | 'full' | 'extra';
}

interface Statements {
  readonly begin: Database.Statement<[]>;
  readonly end: Database.Statement<[]>;
  readonly rollback: Database.Statement<[]>;
  readonly getRecord: Database.Statement<[string], Uint8Array>;
  readonly putRecord: Database.Statement<[string, Uint8Array]>;
  readonly allBlocks: Database.Statement<[], { first: number; bytes: Uint8Array }>;
  readonly getBlock: Database.Statement<[number], Uint8Array>;
  readonly putBlock: Database.Statement<[number, Uint8Array]>;
  readonly removeBlocks: Database.Statement<[number, number]>;
  readonly snapshotIds: Database.Statement<[], number>;
  readonly getChunk: Database.Statement<[number, number], Uint8Array>;
  readonly putChunk: Database.Statement<[number, number, Uint8Array]>;
  readonly removeChunks: Database.Statement<[number]>;
}

function prepare(db: Database.Database): Statements {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    end: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    getRecord: db.prepare<[string], Uint8Array>('SELECT bytes FROM record WHERE name = ?').pluck(),
    putRecord: db.prepare('REPLACE INTO record VALUES (?, ?)'),
    allBlocks: db.prepare('SELECT first, bytes FROM block ORDER BY first'),
    getBlock: db.prepare<[number], Uint8Array>('SELECT bytes FROM block WHERE first = ?').pluck(),
    putBlock: db.prepare('INSERT INTO block VALUES (?, ?)'),
    removeBlocks: db.prepare('DELETE FROM block WHERE first BETWEEN ? AND ?'),
    snapshotIds: db.prepare<[], number>('SELECT DISTINCT snapshot FROM chunk').pluck(),
    getChunk: db
      .prepare<[number, number], Uint8Array>(
        'SELECT bytes FROM chunk WHERE snapshot = ? AND position = ?',
      )
      .pluck(),
    putChunk: db.prepare('INSERT INTO chunk VALUES (?, ?, ?)'),
    removeChunks: db.prepare('DELETE FROM chunk WHERE snapshot = ?'),
  };
}

function asHoldfastError(error: unknown, path: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const { code } = error;
  const options = { cause: error, outcome: 'unknown' as const };
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new HoldfastError('data-in-use', `another process has ${path} open; stop it first`, {
      cause: error,
    });
  }
  if (code === 'SQLITE_FULL') {
    return new HoldfastError('disk-full', `no space left to write ${path}`, options);
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return corruptData('entry', `${path}: ${error.message}`);
  }
  return new HoldfastError('disk-failed', `${path}: ${error.message} (${code})`, options);
}

/** Looks at an existing file before SQLite may touch it. Returns whether there is any. */
function checkHeader(path: string): boolean {
  const header = Buffer.alloc(HEADER_BYTES);
  let length: number;
  try {
    if (!existsSync(path)) return false;
    const file = openSync(path, 'r');
    try {
      length = readSync(file, header, 0, HEADER_BYTES, 0);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw unusablePlace(path, error);
  }
  // Nothing yet: the process that created it died before its first transaction.
  if (length === 0) return true;
  const isDatabase = header.toString('latin1', 0, 16) === 'SQLite format 3\0';
  if (!isDatabase || header.readUInt32BE(68) !== APPLICATION_ID) {
    throw new HoldfastError(
      'data-directory',
      `${path} is not a holdfast log store; name another file, or move it away`,
    );
  }
  const version = header.readUInt32BE(60);
  if (version !== LAYOUT_VERSION) {
    throw new HoldfastError(
      'data-directory',
      `${path} has layout ${version}, not ${LAYOUT_VERSION}; use the program it is from`,
    );
  }
  return true;
}

/**
 * Throws when the write-ahead log lost acknowledged transactions; tells whether its last one is
 * torn. Must come before SQLite opens it: closing would tidy the evidence away.
 */
function checkWal(path: string): 'sound' | 'torn' {
  const state = examineWal(`${path}-wal`);
  if (state.type !== 'damaged') return state.type;
  const { found } = state;
  const hadSharedMemory = existsSync(`${path}-shm`);
  // Only reads, so that nothing is moved out of the log; fails when the file is locked, in which
  // case it was just being written while we looked.
  const db = new Database(path, { readonly: true, timeout: 0 });
  let last: number;
  try {
    const head = db.prepare<[], Uint8Array>("SELECT bytes FROM record WHERE name = 'head'").pluck();
    const bytes = head.get();
    last = bytes === undefined ? 0 : decodeHead(bytes).last;
  } catch (error) {
    const mapped = asHoldfastError(error, path);
    const isLocked = mapped instanceof HoldfastError && mapped.code === 'data-in-use';
    throw isLocked ? mapped : corruptData('entry', `write-ahead log: ${found}`);
  } finally {
    db.close();
    if (!hadSharedMemory) rmSync(`${path}-shm`, { force: true });
  }
  throw corruptData('entry', `write-ahead log: ${found}`, last + 1);
}

export class SqliteMedium implements BlockMedium {
  readonly kind = 'sqlite';
  readonly #options: SqliteMediumOptions;
  #db: Database.Database | undefined;
  #statements: Statements | undefined;

  constructor(options: SqliteMediumOptions) {
    this.#options = options;
  }

  get #sql(): Statements {
    if (this.#statements === undefined) throw new HoldfastError('closed', 'the database is closed');
    return this.#statements;
  }

  open(identity: Uint8Array): readonly string[] {
    const { path, synchronous } = this.#options;
    makeDirectory(dirname(path));
    const wal = checkHeader(path) ? checkWal(path) : 'sound';
    try {
      const db = new Database(path, { timeout: 0 });
      this.#db = db;
      // Set before the first access, the lock is kept until the process ends, and no other file
      // (shared memory) is needed.
      db.pragma('locking_mode = EXCLUSIVE');
      // Says nothing to a database that is there already: it keeps the pages it has.
      db.pragma(`page_size = ${PAGE_BYTES}`);
      db.pragma(`synchronous = ${synchronous}`);
      db.exec('BEGIN EXCLUSIVE');
      const isNew = db.pragma('user_version', { simple: true }) === 0;
      if (isNew) this.#create(db, identity);
      db.exec('COMMIT');
      db.pragma('journal_mode = WAL');
      const pageBytes = Number(db.pragma('page_size', { simple: true }));
      db.pragma(`wal_autocheckpoint = ${Math.ceil(CHECKPOINT_BYTES / pageBytes)}`);
      db.pragma(`journal_size_limit = ${MAX_IDLE_WAL_BYTES}`);
      if (wal === 'torn') cutTornTail(`${path}-wal`);
      this.#statements = prepare(db);
    } catch (error) {
      const mapped = asHoldfastError(error, path);
      const isUnusable = mapped instanceof HoldfastError && mapped.code === 'disk-failed';
      throw isUnusable || mapped instanceof TypeError ? unusablePlace(path, error) : mapped;
    }
    return [];
  }

  #create(db: Database.Database, identity: Uint8Array): void {
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${LAYOUT_VERSION}`);
    db.exec(SCHEMA);
    db.prepare('INSERT INTO record VALUES (?, ?)').run('identity', identity);
  }

  #run<T>(work: (sql: Statements) => T): T {
    const sql = this.#sql;
    try {
      return work(sql);
    } catch (error) {
      throw asHoldfastError(error, this.#options.path);
    }
  }

  getRecord(name: RecordName): Uint8Array | undefined {
    return this.#run((sql) => sql.getRecord.get(name));
  }

  scanBlocks(visit: (first: number, bytes: Uint8Array) => void): void {
    this.#run((sql) => {
      for (const { first, bytes } of sql.allBlocks.iterate()) visit(first, bytes);
    });
  }

  readBlock(first: number): Uint8Array | undefined {
    return this.#run((sql) => sql.getBlock.get(first));
  }

  commit(change: BlockChange): undefined {
    this.#transaction((sql) => {
      for (const { name, bytes } of change.records) sql.putRecord.run(name, bytes);
      for (const { from, through } of change.removed) sql.removeBlocks.run(from, through);
      for (const { first, bytes } of change.added) sql.putBlock.run(first, bytes);
    });
  }

  #transaction(work: (sql: Statements) => void): void {
    this.#run((sql) => {
      sql.begin.run();
      try {
        work(sql);
        sql.end.run();
      } catch (error) {
        if (this.#db?.inTransaction === true) sql.rollback.run();
        throw error;
      }
    });
  }

  snapshotIds(): readonly number[] {
    return this.#run((sql) => sql.snapshotIds.all());
  }

  putChunk(id: number, position: number, bytes: Uint8Array): undefined {
    this.#run((sql) => sql.putChunk.run(id, position, bytes));
  }

  readChunk(id: number, position: number): Uint8Array | undefined {
    return this.#run((sql) => sql.getChunk.get(id, position));
  }

  deleteChunks(id: number): undefined {
    this.#run((sql) => sql.removeChunks.run(id));
  }

  close(): void {
    this.#statements = undefined;
    this.#db?.close();
    this.#db = undefined;
  }

  destroy(): void {
    const { path } = this.#options;
    if (!checkHeader(path)) return;
    const db = new Database(path, { timeout: 0 });
    try {
      db.pragma('locking_mode = EXCLUSIVE');
      db.exec('BEGIN EXCLUSIVE; COMMIT');
    } catch (error) {
      throw asHoldfastError(error, path);
    } finally {
      db.close();
    }
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
  }
}
