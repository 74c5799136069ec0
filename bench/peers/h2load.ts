/** Drives a gRPC server with `h2load`: one prepared request, so many connections and streams. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { microsEach, type ReadCpu } from '../load/client-handle.ts';
import { latencyFigures, type Figures } from '../measure/figures.ts';
import { percentiles } from '../measure/statistics.ts';
import { adopt, makeWorkspace, removeWorkspace } from '../workspace.ts';

export interface H2loadSpec {
  readonly endpoint: string;
  /** Asked for one after the other, by every connection, with the same request. */
  readonly paths: readonly string[];
  /** A message of gRPC. */
  readonly request: Uint8Array;
  /**
   * Where the key's last eight digits are in `request`. h2load sends the same file every time, so
   * the digits in that file are changed while it runs: keys are spread in time. Of several keys
   * each is the one before and `keyStep`.
   */
  readonly digitsAt: readonly number[];
  readonly keyStep: number;
  readonly keys: number;
  /** Answers are at least so long on average; errors of gRPC have no body. */
  readonly leastReplyBytes: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const DIGITS = 8;
const CHANGE_EVERY_MS = 1;
/** Spreads numbers over all keys in an order that is no order. */
const STRIDE = 7919;

export async function h2load(spec: H2loadSpec, serverCpuMs: ReadCpu): Promise<Figures> {
  const directory = await makeWorkspace();
  try {
    const body = join(directory, 'request');
    const log = join(directory, 'log');
    const uris = join(directory, 'uris');
    await writeFile(body, spec.request);
    await writeFile(uris, spec.paths.map((path) => `http://${spec.endpoint}${path}\n`).join(''));
    const stopChanging = changeDigits(body, spec);
    const before = sleep(spec.warmUpMs).then(serverCpuMs);
    const output = await runProgram(spec, { body, log, uris }).finally(stopChanging);
    return {
      ...figuresOf(spec, output, await readFile(log, 'latin1')),
      ...microsEach('serverMicros', await before, await serverCpuMs(), doneOf(output)),
    };
  } finally {
    await removeWorkspace(directory);
  }
}

function changeDigits(path: string, { digitsAt, keyStep, keys }: H2loadSpec): () => void {
  const file = openSync(path, 'r+');
  let number = 0;
  const timer = setInterval(() => {
    number++;
    digitsAt.forEach((at, i) => {
      const key = (number * STRIDE + i * keyStep) % keys;
      writeSync(file, Buffer.from(String(key).padStart(DIGITS, '0')), 0, DIGITS, at);
    });
  }, CHANGE_EVERY_MS);
  return () => {
    clearInterval(timer);
    closeSync(file);
  };
}

interface Files {
  readonly body: string;
  readonly log: string;
  readonly uris: string;
}

function runProgram(spec: H2loadSpec, { body, log, uris }: Files): Promise<string> {
  const { connections, inFlight, warmUpMs, measureMs } = spec;
  const flags = [
    `--clients=${connections}`,
    `--max-concurrent-streams=${Math.ceil(inFlight / connections)}`,
    '--threads=1',
    `--duration=${Math.round(measureMs)}ms`,
    `--warm-up-time=${Math.round(warmUpMs)}ms`,
    `--data=${body}`,
    `--log-file=${log}`,
    '--header=content-type: application/grpc',
    '--header=te: trailers',
    `--input-file=${uris}`,
  ];
  return new Promise((resolve, reject) => {
    const child = adopt(spawn('h2load', flags, { stdio: ['ignore', 'pipe', 'pipe'] }));
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`h2load ended with ${code}: ${output.trim().split('\n').at(-1)}`));
    });
  });
}

function doneOf(output: string): number {
  return Number(/(\d+) done/.exec(output)?.[1] ?? 0);
}

/** Each line of the log is one answer: when it was asked, the status, how long it took in us. */
function figuresOf(spec: H2loadSpec, output: string, log: string): Figures {
  const done = doneOf(output);
  const failed = Number(/(\d+) failed/.exec(output)?.[1] ?? 0);
  const bytes = Number(/\((\d+)\) data/.exec(output)?.[1] ?? 0);
  if (done === 0 || failed > 0) {
    throw new Error(`h2load: ${done} answers, ${failed} failures: ${output.trim().slice(-200)}`);
  }
  if (bytes / done < spec.leastReplyBytes) {
    const each = (bytes / done).toFixed(1);
    throw new Error(`answers of ${each} B on average: the server refused some of the requests`);
  }
  const latencies: number[] = [];
  for (const line of log.split('\n')) {
    const us = Number(line.slice(line.lastIndexOf('\t') + 1));
    if (us > 0) latencies.push(us / 1000);
  }
  return {
    perSecond: (done / spec.measureMs) * 1000,
    ...latencyFigures(percentiles(latencies)),
  };
}
