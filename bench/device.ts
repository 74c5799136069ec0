/** What the machine is, as far as it bounds the figures. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { percentiles, type Percentiles } from './statistics.ts';

const ROUNDS = 300;
const BLOCK_BYTES = 4096;

/** Latency in ms of appending 4 KiB and fdatasync, on the device the logs are written to. */
export function fsyncLatency(directory: string): Percentiles {
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

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly node: string;
}

export function machine(): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}
