/**
 * `npm run bench`: three processes on this machine, durable puts of 256 B and linearizable gets at
 * 1, 100 and 1,000 in flight, on each durable store; then a thousand watchers of one node.
 *
 *     npm run bench [-- --store sqlite|level|none] [--seconds 3] [--json FILE]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ProcessCluster } from '../jepsen-lite/real/process-cluster.ts';
import { connect, type HoldfastClient } from '../src/client/index.ts';
import { closedLoop, type LoadResult } from './closed-loop.ts';
import { fsyncLatency, machine } from './device.ts';
import { fanOut } from './fan-out.ts';

const VALUE_BYTES = 256;
const KEYS = 10_000;
const IN_FLIGHT = [1, 100, 1000] as const;
const STORES = ['sqlite', 'level'] as const;
const FSYNC_MODE = {
  sqlite: 'WAL, synchronous=FULL: one fdatasync a batch',
  level: 'sync: true: one fdatasync a batch',
} as const;

interface Row extends LoadResult {
  readonly store: (typeof STORES)[number];
  readonly operation: 'put' | 'get';
  readonly inFlight: number;
}

async function ready(client: HoldfastClient): Promise<void> {
  while (!(await client.status()).some(({ status }) => status?.role === 'leader')) await sleep(50);
}

function printRow(row: Row): void {
  const { p50, p99 } = row.latency;
  const cells = [
    row.store.padEnd(7),
    row.operation.padEnd(4),
    String(row.inFlight).padStart(5),
    Math.round(row.perSecond).toLocaleString('en').padStart(9),
    p50.toFixed(2).padStart(9),
    p99.toFixed(2).padStart(9),
  ];
  process.stdout.write(`${cells.join('  ')}\n`);
}

async function benchStore(store: Row['store'], measureMs: number): Promise<Row[]> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const cluster = await ProcessCluster.start({ nodes: 3, store, directory });
  const client = await connect({ endpoints: cluster.endpoints, requestTimeout: '30s' });
  const rows: Row[] = [];
  try {
    await ready(client);
    const value = new Uint8Array(VALUE_BYTES).fill(97);
    const key = (sequence: number): string => `bench/${sequence % KEYS}`;
    const calls = {
      put: (sequence: number) => client.registry.put(key(sequence), value),
      get: (sequence: number) => client.registry.get(key(sequence)),
    };
    for (const operation of ['put', 'get'] as const) {
      for (const inFlight of IN_FLIGHT) {
        const load = { inFlight, warmUpMs: measureMs / 3, measureMs };
        const row = { store, operation, inFlight, ...(await closedLoop(load, calls[operation])) };
        rows.push(row);
        printRow(row);
      }
    }
  } finally {
    await client.close();
    await cluster.stop();
    await rm(directory, { recursive: true, force: true });
  }
  return rows;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      store: { type: 'string' },
      seconds: { type: 'string', default: '3' },
      json: { type: 'string' },
    },
  });
  const stores = STORES.filter((store) => values.store === undefined || values.store === store);
  if (stores.length === 0 && values.store !== 'none') {
    throw new Error(`--store takes ${STORES.join(', ')}, or none for the watchers alone`);
  }
  const here = machine();
  const fsync = fsyncLatency(tmpdir());
  process.stdout.write(
    `${here.cpu}, ${here.cores} cores, ${here.memoryGiB} GiB, node ${here.node}\n` +
      `fdatasync of 4 KiB: p50 ${fsync.p50.toFixed(3)} ms, p99 ${fsync.p99.toFixed(3)} ms\n` +
      stores.map((store) => `${store}: ${FSYNC_MODE[store]}\n`).join('') +
      `three processes and one client process, ${VALUE_BYTES} B values, ${KEYS} keys\n\n` +
      'store    op   flight     per s     p50 ms     p99 ms\n',
  );
  const rows: Row[] = [];
  for (const store of stores)
    rows.push(...(await benchStore(store, Number(values.seconds) * 1000)));
  const watches = await fanOut(Number(values.seconds) * 1000);
  if (values.json !== undefined) {
    const date = new Date().toISOString();
    await writeFile(
      values.json,
      JSON.stringify({ date, machine: here, fsync, rows, watches }, null, 2),
    );
  }
}

await main();
