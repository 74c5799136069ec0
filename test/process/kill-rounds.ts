/** Real processes under load, a random one killed with SIGKILL each round; then the reckoning. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ProcessCluster } from '../../jepsen-lite/real/process-cluster.ts';
import { connect, type HoldfastClient } from '../../src/client/index.ts';
import { ClientLoad, newObservations, type Observations } from './workload.ts';

const PATIENCE_MS = 60_000;
const POLL_MS = 25;
const MAX_DOWN_MS = 400;

export interface KillRoundsOptions {
  readonly nodes: number;
  readonly store: 'sqlite' | 'level';
  readonly rounds: number;
  /** Each has one write under way at any time. */
  readonly clients: number;
  readonly directory: string;
  readonly onProgress?: (line: string) => void;
}

export interface KillRoundsReport {
  readonly seen: Observations;
  /** Keys acknowledged that are absent or hold another value. */
  readonly lost: readonly string[];
  /** Nodes whose state differs from the first one's after everything settled. */
  readonly diverged: readonly string[];
  readonly log: (id: string) => readonly string[];
}

async function until(what: string, ask: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await sleep(POLL_MS);
  }
}

/** Every key of one node's own state, with everything a record says. */
async function localState(endpoint: string): Promise<string[]> {
  const client = await connect({ endpoints: [endpoint], exactlyOnce: false });
  try {
    const lines: string[] = [];
    for await (const record of client.registry.records({ consistency: 'local' })) {
      const { key, createRevision, modRevision, version, time, node } = record;
      const rest = [createRevision, modRevision, version, time, node, record.text()];
      lines.push([key, ...rest].join(' '));
    }
    return lines;
  } finally {
    await client.close();
  }
}

async function allCaughtUp(client: HoldfastClient): Promise<boolean> {
  const statuses = await client.status();
  const applied = statuses.map(({ status }) => status?.appliedIndex ?? -1);
  const commit = Math.max(...statuses.map(({ status }) => status?.commitIndex ?? 0));
  return applied.every((index) => index === commit);
}

async function oneRound(
  cluster: ProcessCluster,
  client: HoldfastClient,
  { seen, clients }: { seen: Observations; clients: number },
): Promise<string> {
  const victim = cluster.ids[Math.floor(Math.random() * cluster.ids.length)];
  if (victim === undefined) throw new Error('the cluster has no nodes');
  await cluster.signal(victim, 'SIGKILL');
  await sleep(Math.random() * MAX_DOWN_MS);
  cluster.startNode(victim);
  const before = seen.acknowledged;
  await until(`${victim} to answer`, async () => {
    const statuses = await client.status();
    return statuses.every(({ status }) => status !== undefined && status.leader !== '');
  });
  await until('writes to go on', () => seen.acknowledged > before + clients);
  return victim;
}

/** Runs the rounds and checks everything; rejects only when the cluster stops serving. */
export async function killRounds(options: KillRoundsOptions): Promise<KillRoundsReport> {
  const { nodes, store, directory, rounds, clients: count, onProgress = () => undefined } = options;
  const cluster = await ProcessCluster.start({ nodes, store, directory });
  const clients: HoldfastClient[] = [];
  let stopping = false;
  try {
    const { endpoints } = cluster;
    // The first to connect waits until the processes have started.
    const observer = await connect({ endpoints, requestTimeout: PATIENCE_MS });
    clients.push(observer);
    await until('a leader', async () =>
      (await observer.status()).some(({ status }) => status?.role === 'leader'),
    );
    const seen = newObservations();
    const shared = { holders: 0 };
    const loads: ClientLoad[] = [];
    for (let i = 0; i < count; i++) {
      const client = await connect({ endpoints, requestTimeout: '10s' });
      clients.push(client);
      loads.push(new ClientLoad(client, `client${i}`, seen, shared));
    }
    const running = Promise.all(loads.map((load) => load.run(() => stopping)));
    for (let round = 1; round <= rounds; round++) {
      const victim = await oneRound(cluster, observer, { seen, clients: count });
      onProgress(`round ${round}: killed ${victim}; ${seen.acknowledged} acknowledged so far`);
    }
    stopping = true;
    await running;
    return { ...(await reckon(cluster, observer, seen, loads)), log: (id) => cluster.log(id) };
  } finally {
    stopping = true;
    await Promise.all(clients.map((client) => client.close()));
    await cluster.stop();
  }
}

async function reckon(
  cluster: ProcessCluster,
  client: HoldfastClient,
  seen: Observations,
  loads: readonly ClientLoad[],
): Promise<Omit<KillRoundsReport, 'log'>> {
  await until('every node to catch up', () => allCaughtUp(client));
  const found = new Map<string, string>();
  for await (const record of client.registry.records()) found.set(record.key, record.text());
  const lost = [...seen.acknowledgedKeys]
    .filter(([key, value]) => found.get(key) !== value)
    .map(([key]) => key);
  for (const { own } of loads) {
    const version = (await client.registry.get(own.key))?.version ?? 0;
    if (version < own.sure || version > own.possible) {
      seen.violations.push(`${own.key} ended at version ${version}, not ${own.sure} or more`);
    }
  }
  const states = await Promise.all(cluster.endpoints.map(localState));
  const [first = []] = states;
  const diverged = cluster.ids.filter((_, i) => states[i]?.join('\n') !== first.join('\n'));
  return { seen, lost, diverged };
}
