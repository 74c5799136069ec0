/** Many watchers of one node: what reaches them, and what that costs the node. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProcessCluster } from '../jepsen-lite/real/process-cluster.ts';
import { connect, type HoldfastClient, type Watch } from '../src/client/index.ts';
import { closedLoop } from './closed-loop.ts';

const WATCHERS = 1000;
const CONNECTIONS = 10;
const VALUE = new Uint8Array(256).fill(97);
const PUTS_IN_FLIGHT = 100;
/** Of `/proc`: clock ticks a second. */
const TICKS_PER_SECOND = 100;

export interface FanOutRow {
  readonly watchers: string;
  readonly putsPerSecond: number;
  readonly eventsPerSecond: number;
  /** The node's whole work for a put, its events included; undefined where there is no `/proc`. */
  readonly serverMicrosPerPut: number | undefined;
  readonly serverMicrosPerEvent: number | undefined;
  readonly serverMiBBefore: number | undefined;
  readonly serverMiBAfter: number | undefined;
}

const HEADER = [
  'watchers'.padEnd(20),
  'puts/s'.padStart(8),
  'events/s'.padStart(9),
  'cpu us/put'.padStart(10),
  'cpu us/event'.padStart(12),
  'MiB before'.padStart(10),
  'MiB after'.padStart(9),
].join('  ');

interface Usage {
  readonly cpuMs: number;
  readonly residentMiB: number;
}

const SCENARIOS = [
  { watchers: 'nobody', subject: undefined },
  { watchers: '1,000 of one prefix', subject: () => ({ prefix: 'fan/' }) },
  { watchers: '1,000 of a key each', subject: (i: number) => ({ key: `fan/${i}` }) },
] as const;

/** What a process has used; undefined where the system does not tell. */
async function usage(pid: number): Promise<Usage | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const kib = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
    return { cpuMs: (ticks / TICKS_PER_SECOND) * 1000, residentMiB: kib / 1024 };
  } catch {
    return undefined;
  }
}

class Audience {
  events = 0;
  readonly #watches: Watch[] = [];

  async open(
    clients: readonly HoldfastClient[],
    subject: (i: number) => { readonly prefix?: string; readonly key?: string },
  ): Promise<void> {
    for (let i = 0; i < WATCHERS; i++) {
      const { registry } = clients[i % clients.length]!;
      const watch = registry.watch({ ...subject(i), previous: false, progress: false });
      this.#watches.push(watch);
      void this.#consume(watch);
    }
    await Promise.all(this.#watches.map((watch) => watch.started));
  }

  async #consume(watch: Watch): Promise<void> {
    for await (const event of watch) if (event.last) this.events++;
  }

  /** Until everyone was told of everything. */
  async drained(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.progress({ timeout: '60s' })));
  }

  async close(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.close()));
  }
}

async function measure(
  clients: readonly HoldfastClient[],
  pid: number,
  scenario: (typeof SCENARIOS)[number],
  measureMs: number,
): Promise<FanOutRow> {
  const audience = new Audience();
  const before = await usage(pid);
  if (scenario.subject !== undefined) await audience.open(clients, scenario.subject);
  const begun = performance.now();
  const cpuBefore = await usage(pid);
  const load = { inFlight: PUTS_IN_FLIGHT, warmUpMs: 0, measureMs };
  const [writer] = clients;
  const { perSecond, calls } = await closedLoop(load, (sequence) =>
    writer!.registry.put(`fan/${sequence % WATCHERS}`, VALUE),
  );
  await audience.drained();
  const seconds = (performance.now() - begun) / 1000;
  const after = await usage(pid);
  const { events } = audience;
  await audience.close();
  const cpuMs =
    after === undefined || cpuBefore === undefined ? undefined : after.cpuMs - cpuBefore.cpuMs;
  return {
    watchers: scenario.watchers,
    putsPerSecond: perSecond,
    eventsPerSecond: events / seconds,
    serverMicrosPerPut: micros(cpuMs, calls),
    serverMicrosPerEvent: micros(cpuMs, events),
    serverMiBBefore: before?.residentMiB,
    serverMiBAfter: after?.residentMiB,
  };
}

function micros(cpuMs: number | undefined, count: number): number | undefined {
  return cpuMs === undefined || count === 0 ? undefined : (cpuMs * 1000) / count;
}

function number(value: number | undefined, digits: number): string {
  return value === undefined ? '-' : value.toLocaleString('en', { maximumFractionDigits: digits });
}

function print(row: FanOutRow): void {
  const cells = [
    row.watchers.padEnd(20),
    number(row.putsPerSecond, 0).padStart(8),
    number(row.eventsPerSecond, 0).padStart(9),
    number(row.serverMicrosPerPut, 1).padStart(10),
    number(row.serverMicrosPerEvent, 1).padStart(12),
    number(row.serverMiBBefore, 0).padStart(10),
    number(row.serverMiBAfter, 0).padStart(9),
  ];
  process.stdout.write(`${cells.join('  ')}\n`);
}

/** One node in memory in a process of its own; writer and watchers share this one. */
export async function fanOut(measureMs: number): Promise<FanOutRow[]> {
  const load = `${CONNECTIONS} connections, ${PUTS_IN_FLIGHT} puts in flight`;
  process.stdout.write(`\nwatches: one node in memory, ${load}\n${HEADER}\n`);
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const cluster = await ProcessCluster.start({ nodes: 1, store: 'memory', directory });
  const { endpoints } = cluster;
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => connect({ endpoints, requestTimeout: '30s' })),
  );
  const rows: FanOutRow[] = [];
  try {
    const pid = cluster.pid(cluster.ids[0] ?? '') ?? 0;
    await clients[0]!.registry.put('fan/0', VALUE);
    for (const scenario of SCENARIOS) {
      const row = await measure(clients, pid, scenario, measureMs);
      rows.push(row);
      print(row);
      await sleep(200);
    }
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await cluster.stop();
    await rm(directory, { recursive: true, force: true });
  }
  return rows;
}
