/** One log store alone: `node program.js JSON`, see `StoreSpec`. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { LevelLogStore } from '../../adapters/level/index.ts';
import { SqliteLogStore } from '../../adapters/sqlite/index.ts';
import { unreachable } from '../../src/base/index.ts';
import { MemoryLogStore, type LogStore } from '../../src/log-store/index.ts';
import type { LoadResult } from '../load/closed-loop.ts';
import { openDisk } from '../limit/disks.ts';
import { percentiles } from '../measure/statistics.ts';
import type { Entry, LogIndex, Term } from '../../src/index.ts';
import type { StoreSpec } from './spec.ts';

/** Writes a batch; resolves when it is durable. */
type WriteBatch = (first: number) => Promise<unknown>;

function storeOf(kind: 'sqlite' | 'level' | 'memory', directory: string): LogStore {
  if (kind === 'memory') return new MemoryLogStore();
  const path = join(directory, kind === 'sqlite' ? 'log.db' : 'log');
  return kind === 'sqlite' ? new SqliteLogStore({ path }) : new LevelLogStore({ path });
}

async function writerOf(spec: StoreSpec): Promise<WriteBatch> {
  const { subject, directory, entriesPerWrite, entryBytes } = spec;
  const data = new Uint8Array(entryBytes).fill(97);
  switch (subject.type) {
    case 'store': {
      const store = storeOf(subject.store, directory);
      await store.open({ newStoreId: randomUUID() });
      return (first) => store.write({ entries: entriesFrom(first, entriesPerWrite, data) });
    }
    case 'disk': {
      const disk = openDisk(subject.disk, directory);
      const entries = Array.from({ length: entriesPerWrite }, () => data);
      return () => new Promise<void>((resolve) => disk(entries, resolve));
    }
    default:
      return unreachable(subject);
  }
}

function entriesFrom(first: number, count: number, data: Uint8Array): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    index: (first + i) as LogIndex,
    term: 1 as Term,
    time: first,
    type: 'command',
    data,
    recorded: undefined,
  }));
}

async function measure(spec: StoreSpec): Promise<LoadResult> {
  const write = await writerOf(spec);
  const begin = performance.now() + spec.warmUpMs;
  const end = begin + spec.measureMs;
  const samples: number[] = [];
  let first = 1;
  for (let now = performance.now(); now < end;) {
    await write(first);
    first += spec.entriesPerWrite;
    const then = performance.now();
    if (now >= begin) samples.push(then - now);
    now = then;
  }
  const entries = samples.length * spec.entriesPerWrite;
  return {
    perSecond: (entries / spec.measureMs) * 1000,
    latency: percentiles(samples),
    calls: samples.length,
  };
}

process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? ''))));
process.exit();
