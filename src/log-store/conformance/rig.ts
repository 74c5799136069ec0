/** What every case works with: directories, stores, entries, and how they are compared. */
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '../../base/index.ts';
import type { ErrorCode } from '../../base/index.ts';
import type { Entry, EntryType, LogIndex, NodeId, SnapshotMeta, Term } from '../../raft/index.ts';
import type { LogStore, RecoveredLog, SnapshotReader } from '../contract.ts';
import type { ConformanceOptions, CreateStore } from './options.ts';

/** One case's directories and stores, all gone when it is over. */
export class Rig {
  readonly #create: CreateStore;
  readonly #durable: boolean;
  readonly #directories: string[] = [];
  readonly #stores: LogStore[] = [];
  readonly #volatile = new Map<string, LogStore>();

  constructor(options: ConformanceOptions) {
    this.#create = options.create;
    this.#durable = options.durable !== false;
  }

  directory(): string {
    const path = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-conformance-')));
    this.#directories.push(path);
    return path;
  }

  /** A store over `directory`; the same object every time when the store is volatile. */
  create(directory: string): LogStore {
    const known = this.#volatile.get(directory);
    if (known !== undefined) return known;
    const store = this.#create(directory);
    if (!this.#durable) this.#volatile.set(directory, store);
    this.#stores.push(store);
    return store;
  }

  async open(directory: string = this.directory()): Promise<LogStore> {
    return (await this.recover(directory)).store;
  }

  async recover(directory: string): Promise<{ store: LogStore; recovered: RecoveredLog }> {
    const store = this.create(directory);
    const recovered = await store.open({ newStoreId: `store of ${directory}` });
    return { store, recovered };
  }

  async dispose(): Promise<void> {
    for (const store of this.#stores) await store.close().catch(() => {});
    for (const path of this.#directories) rmSync(path, { recursive: true, force: true });
  }
}

/** Registers cases with the test runner; each gets a rig of its own. */
export type Define = (name: string, run: (rig: Rig) => Promise<void>) => void;

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function index(value: number): LogIndex {
  return value as LogIndex;
}

export function term(value: number): Term {
  return value as Term;
}

interface EntryFields {
  readonly term?: number;
  readonly type?: EntryType;
  readonly data?: Uint8Array;
}

export function entry(at: number, fields: EntryFields = {}): Entry {
  return {
    index: index(at),
    term: term(fields.term ?? 1),
    time: 1000 + at,
    type: fields.type ?? 'command',
    data: fields.data ?? bytesOf(`entry ${at}`),
    recorded: undefined,
  };
}

export function entries(from: number, through: number, fields: EntryFields = {}): Entry[] {
  return Array.from({ length: through - from + 1 }, (_, i) => entry(from + i, fields));
}

export function snapshotMeta(at: number, termAt = 1, address = 'localhost:1'): SnapshotMeta {
  const id = 'a' as NodeId;
  return {
    index: index(at),
    term: term(termAt),
    time: 1000 + at,
    membership: {
      clusterId: 'cluster',
      voters: [id],
      outgoing: [],
      learners: [],
      promotable: [],
      members: { [id]: { address, storeId: 's' } },
    },
  };
}

export async function* chunksOf(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield part;
}

export async function readAll(reader: SnapshotReader, step = 100_000): Promise<Uint8Array> {
  const bytes = new Uint8Array(reader.size);
  for (let at = 0; at < reader.size; at += step) bytes.set(await reader.read(at, step), at);
  return bytes;
}

/** An entry as it compares: without what the codec hangs on it. */
export function plain(one: Entry): object {
  const { index: at, term: termAt, time, type, data } = one;
  return { index: at, term: termAt, time, type, data: Buffer.from(data).toString('latin1') };
}

export function assertEntries(actual: readonly Entry[], expected: readonly Entry[]): void {
  assert.deepEqual(actual.map(plain), expected.map(plain));
}

export async function assertLog(store: LogStore, expected: readonly Entry[]): Promise<void> {
  const dump = await store.dump();
  assertEntries(dump.entries, expected);
  const first = expected[0];
  if (first === undefined) {
    assert.equal(store.firstIndex(), store.lastIndex() + 1);
    assert.equal(await store.lastEntry(), undefined);
    return;
  }
  const last = expected.at(-1)!;
  assert.equal(store.firstIndex(), first.index);
  assert.equal(store.lastIndex(), last.index);
  assert.deepEqual(plain((await store.lastEntry())!), plain(last));
  assertEntries(await store.slice(first.index, last.index, Number.MAX_SAFE_INTEGER), expected);
}

export async function assertRejects(
  code: ErrorCode | readonly ErrorCode[],
  promise: Promise<unknown>,
): Promise<HoldfastError> {
  const codes = typeof code === 'string' ? [code] : code;
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    assert.ok(
      codes.includes(error.code),
      `${error.code} (${error.message}) is not ${codes.join()}`,
    );
    return error;
  }
  throw new assert.AssertionError({ message: `not refused with ${codes.join()}` });
}
