/**
 * The tour: three durable processes, the machine's package list as keys, the leader killed with
 * SIGKILL in the middle of an import. Prints what happens as it happens; exits 0 only if a new
 * leader served within a second, nothing acknowledged was lost, the lock taken before is still held
 * with the same fencing token, and the killed node caught up.
 *
 *     npm run tour
 *     npm run tour -- --limit-ms 5000    on a machine too busy to elect a leader within a second
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connect, type HoldfastClient } from 'holdfast/client';
import { ProcessCluster } from '../../jepsen-lite/real/process-cluster.ts';
import { importPackages, missingKeys, type Acknowledged } from './import.ts';
import { installedPackages } from './packages.ts';
import { check, say, summary } from './report.ts';
import { until } from './until.ts';

const LOCK = 'tour/lock';
const { values: options } = parseArgs({ options: { 'limit-ms': { type: 'string' } } });
/** How soon after the kill a new leader has to serve. */
const LIMIT_MS = Number(options['limit-ms'] ?? 1000);
if (!(LIMIT_MS > 0)) {
  console.error('--limit-ms takes a number above zero');
  process.exit(2);
}

async function leaderOf(client: HoldfastClient): Promise<string> {
  return until('a leader', async () => {
    const statuses = await client.status();
    return statuses.find(({ status }) => status?.role === 'leader')?.status?.id;
  });
}

/** Puts a key, again and again until it is acknowledged; the time that took. */
async function timeToServe(client: HoldfastClient): Promise<number> {
  const started = performance.now();
  await client.registry.put('tour/after-the-kill', 'served', { timeout: 10_000 + LIMIT_MS });
  return performance.now() - started;
}

async function killLeaderDuringImport(
  cluster: ProcessCluster,
  client: HoldfastClient,
  acknowledged: Acknowledged,
): Promise<string> {
  const packages = installedPackages();
  const half = Math.ceil(packages.length / 2);
  const leader = await leaderOf(client);
  const others = cluster.ids.filter((id) => id !== leader).map((id) => cluster.endpoint(id));
  const probe = await connect({ endpoints: others });
  await probe.registry.revision();
  let killed = false;
  let measured: Promise<number> | undefined;
  const kill = async (): Promise<number> => {
    say(`SIGKILL to the leader ${leader} (pid ${cluster.pid(leader)}) after ${half} puts`);
    await cluster.signal(leader, 'SIGKILL');
    return timeToServe(probe);
  };
  await importPackages(client, packages, 'second/', acknowledged, (count) => {
    if (killed || count < half) return;
    killed = true;
    measured = kill();
  });
  const servedAfterMs = await measured;
  await probe.close();
  if (servedAfterMs === undefined) throw new Error('the import ended before the kill');
  check(
    `a new leader served ${servedAfterMs.toFixed(0)} ms after the kill, within ${LIMIT_MS} ms`,
    servedAfterMs <= LIMIT_MS,
  );
  say(`the leader is now ${await leaderOf(client)}`);
  return leader;
}

async function catchesUp(
  cluster: ProcessCluster,
  client: HoldfastClient,
  id: string,
): Promise<void> {
  say(`starting ${id} again`);
  cluster.startNode(id);
  const statusOf = async (endpoint: string): Promise<number | undefined> =>
    (await client.status()).find((one) => one.endpoint === endpoint)?.status?.revision;
  const revision = await client.registry.revision();
  const caughtUp = await until(`${id} to catch up to revision ${revision}`, async () => {
    const reached = await statusOf(cluster.endpoint(id));
    return reached !== undefined && reached >= revision ? reached : undefined;
  });
  check(`${id} came back and caught up to revision ${caughtUp}`, caughtUp >= revision);
}

async function tour(cluster: ProcessCluster, client: HoldfastClient): Promise<void> {
  say(`${await leaderOf(client)} leads`);

  const acknowledged: Acknowledged = new Map();
  const packages = installedPackages();
  say(`importing ${packages.length} packages of this machine`);
  await importPackages(client, packages, 'first/', acknowledged);

  const session = await client.registry.openSession({ ttl: '10s', label: 'tour' });
  const lock = await client.registry.lock(LOCK, { session });
  say(`took the lock ${LOCK}: session ${lock.session}, fencing token ${lock.token}`);

  const killed = await killLeaderDuringImport(cluster, client, acknowledged);

  const missing = await missingKeys(client, acknowledged);
  check(
    `all ${acknowledged.size} acknowledged keys are there`,
    missing.length === 0,
    missing.slice(0, 5).join(', '),
  );
  const [holder] = await client.registry.lockQueue(LOCK);
  check(
    `the lock is still held by session ${lock.session} with token ${lock.token}`,
    holder?.session === lock.session && holder.token === lock.token,
    JSON.stringify(holder),
  );
  await catchesUp(cluster, client, killed);
  await lock.unlock();
  await session.close();
}

async function main(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-tour-'));
  say(`three nodes with SQLite logs under ${directory}`);
  const cluster = await ProcessCluster.start({ nodes: 3, store: 'sqlite', directory });
  const client = await connect({ endpoints: cluster.endpoints, requestTimeout: '10s' });
  try {
    await tour(cluster, client);
  } finally {
    await client.close();
    await cluster.stop();
    await rm(directory, { recursive: true, force: true });
  }
  return summary();
}

process.exitCode = await main();
