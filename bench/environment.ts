/** What the machine is, as far as it bounds the figures. */
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { percentiles, type Percentiles } from './measure/statistics.ts';

const ROUNDS = 300;
const BLOCK_BYTES = 4096;

export interface Environment {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  /** Of one minute, before anything was started: others that want the processors. */
  readonly loadBefore: number;
  /** In ms: appending 4 KiB and fdatasync, on the device that data are kept on. */
  readonly fsync: Percentiles;
  readonly fsyncModes: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
}

/** Of everyone who is asked to be durable. */
const FSYNC_MODES = {
  sqlite: 'WAL, synchronous=FULL: one fsync a batch',
  level: 'sync: true: one fdatasync a batch',
  etcd: 'its default: one fdatasync a batch of its log',
  limits: 'as the store of that name; plain file: one fdatasync a batch',
} as const;

export function environment(
  directory: string,
  more: Readonly<Record<string, string>>,
): Environment {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    loadBefore: loadavg()[0] ?? 0,
    fsync: fsyncLatency(directory),
    fsyncModes: FSYNC_MODES,
    versions: {
      holdfast: versionIn(new URL('../../package.json', import.meta.url)),
      node: process.versions.node,
      'better-sqlite3': versionOf('better-sqlite3'),
      sqlite: sqliteVersion(),
      'classic-level': versionOf('classic-level'),
      ...more,
    },
  };
}

function fsyncLatency(directory: string): Percentiles {
  const file = join(directory, 'fsync-probe');
  const descriptor = openSync(file, 'w');
  const block = new Uint8Array(BLOCK_BYTES).fill(7);
  const samples: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    writeSync(descriptor, block);
    const started = performance.now();
    fdatasyncSync(descriptor);
    samples.push(performance.now() - started);
  }
  closeSync(descriptor);
  rmSync(file);
  return percentiles(samples);
}

function versionOf(packageName: string): string {
  return versionIn(new URL(`../../node_modules/${packageName}/package.json`, import.meta.url));
}

function versionIn(file: URL): string {
  const parsed: { version?: string } = JSON.parse(readFileSync(file, 'utf8'));
  return parsed.version ?? 'unknown';
}

function sqliteVersion(): string {
  const db = new Database(':memory:');
  const version = db.prepare<[], string>('SELECT sqlite_version()').pluck().get();
  db.close();
  return version ?? 'unknown';
}

function ms(value: number): string {
  return `${value.toFixed(3)} ms`;
}

/** A few lines to stand above the tables. */
export function describe(here: Environment): string {
  const { cpu, cores, memoryGiB, kernel, loadBefore, fsync, fsyncModes, versions } = here;
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const modes = Object.entries(fsyncModes).map(([name, mode]) => `  ${name}: ${mode}`);
  return [
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, kernel ${kernel}`,
    `load average before: ${loadBefore.toFixed(1)}`,
    names.join(', '),
    `fdatasync of 4 KiB: p50 ${ms(fsync.p50)}, p99 ${ms(fsync.p99)}, max ${ms(fsync.max)}`,
    'fsync mode',
    ...modes,
    '',
  ].join('\n');
}
