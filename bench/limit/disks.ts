/** Where the bare pipeline keeps what it was sent: as few calls of the driver as each allows. */
import { fdatasyncSync, mkdirSync, openSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ClassicLevel } from 'classic-level';
import { unreachable } from '../../src/base/index.ts';
import type { DiskKind } from './limit-spec.ts';

/** Calls `done` once all entries are durable; one write at a time. */
export type Disk = (entries: readonly Uint8Array[], done: () => void) => void;

/** At most so many buffers are written by one call of the system. */
const MAX_VECTOR = 1024;
const SAME_CHECKPOINTS = 1000;

export function openDisk(kind: DiskKind, directory: string): Disk {
  mkdirSync(directory, { recursive: true });
  switch (kind) {
    case 'none':
      return (_, done) => done();
    case 'file':
      return plainFile(join(directory, 'log'));
    case 'sqlite':
      return rowPerEntry(join(directory, 'log.db'));
    case 'level':
      return recordPerEntry(join(directory, 'log'));
    case 'level-blocks':
      return blockPerBatch(join(directory, 'log'));
    default:
      return unreachable(kind);
  }
}

function plainFile(path: string): Disk {
  const file = openSync(path, 'w');
  return (entries, done) => {
    for (let at = 0; at < entries.length; at += MAX_VECTOR) {
      writevSync(file, entries.slice(at, at + MAX_VECTOR));
    }
    fdatasyncSync(file);
    done();
  };
}

/** With the journal, the sync mode and the checkpoints of `SqliteLogStore`. */
function rowPerEntry(path: string): Disk {
  const db = new Database(path);
  db.pragma('locking_mode = EXCLUSIVE');
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma(`wal_autocheckpoint = ${SAME_CHECKPOINTS}`);
  db.exec('CREATE TABLE entry (position INTEGER PRIMARY KEY, bytes BLOB NOT NULL)');
  const begin = db.prepare('BEGIN IMMEDIATE');
  const insert = db.prepare('INSERT INTO entry VALUES (?, ?)');
  const commit = db.prepare('COMMIT');
  let position = 0;
  return (entries, done) => {
    begin.run();
    for (const entry of entries) insert.run(++position, entry);
    commit.run();
    done();
  };
}

/** A failure ends the process. */
async function tellWhenDone(written: Promise<void>, done: () => void): Promise<void> {
  await written;
  done();
}

function recordPerEntry(path: string): Disk {
  const db = new ClassicLevel<string, Uint8Array>(path, { valueEncoding: 'view' });
  let position = 0;
  return (entries, done) => {
    const batch = db.batch();
    for (const entry of entries) batch.put(String(++position).padStart(16, '0'), entry);
    void tellWhenDone(batch.write({ sync: true }), done);
  };
}

function blockPerBatch(path: string): Disk {
  const db = new ClassicLevel<string, Uint8Array>(path, { valueEncoding: 'view' });
  let position = 0;
  return (entries, done) => {
    const key = String(++position).padStart(16, '0');
    void tellWhenDone(db.put(key, Buffer.concat(entries), { sync: true }), done);
  };
}
