/** dev: a whole cluster on this machine, one process a node, durable unless asked otherwise. */
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { EndpointStatus, HoldfastClient } from '../../client/index.ts';
import { numberOption } from '../context.ts';
import { refuseTakenPorts } from '../dev/free-ports.ts';
import { NodeProcess } from '../dev/node-process.ts';
import { createScreen, type Screen } from '../dev/screen.ts';
import { EXIT, ExitError, usageError } from '../exit.ts';
import { examples } from '../help.ts';
import { parseStoreKind } from '../store-choice.ts';

const MAX_NODES = 9;
const STATUS_INTERVAL_MS = 1000;
const STOP_PATIENCE_MS = 5000;
const MAX_PORT = 65_535;

interface DevFlags {
  readonly nodes: string;
  readonly store: string;
  readonly data: string;
  readonly port: string;
}

interface PlannedNode {
  readonly id: string;
  readonly endpoint: string;
}

function planNodes(flags: DevFlags): PlannedNode[] {
  const count = numberOption('--nodes', flags.nodes);
  if (count > MAX_NODES) throw usageError(`--nodes takes 1 to ${MAX_NODES}, not ${count}`);
  const port = numberOption('--port', flags.port);
  if (port + count - 1 > MAX_PORT) throw usageError(`--port ${port} leaves no room for ${count}`);
  return Array.from({ length: count }, (_, i) => ({
    id: String.fromCharCode('a'.charCodeAt(0) + i),
    endpoint: `127.0.0.1:${port + i}`,
  }));
}

export function addDevCommand(program: Command): void {
  program
    .command('dev')
    .description('run a local cluster, one process a node; Ctrl-C stops all')
    .option('--nodes <count>', 'how many nodes', '3')
    .option('--store <kind>', 'sqlite, level or memory', 'sqlite')
    .option('--data <directory>', 'kept between runs; each node has a folder in it', 'data/dev')
    .option('--port <port>', 'port of the first node; the others follow', '7400')
    .addHelpText(
      'after',
      examples('holdfast dev', 'holdfast dev --nodes 5 --store level --data data/five --port 7500'),
    )
    .configureHelp({ showGlobalOptions: false })
    .action(async (flags: DevFlags) => {
      const store = parseStoreKind(flags.store);
      const planned = planNodes(flags);
      await refuseTakenPorts(planned.map(({ endpoint }) => endpoint));
      const screen = createScreen(process.stdout);
      const failure = await runCluster(planned, { ...flags, store }, screen);
      screen.close();
      if (failure !== undefined) throw new ExitError(EXIT.refused, failure);
    });
}

/** Resolves when the cluster was told to stop, to a reason when it could not go on. */
async function runCluster(
  planned: readonly PlannedNode[],
  flags: DevFlags,
  screen: Screen,
): Promise<string | undefined> {
  const peers = planned.map(({ id, endpoint }) => `${id}=${endpoint}`).join(',');
  const ending = new EventEmitter();
  const ended = once(ending, 'end').then(([failure]: (string | undefined)[]) => failure);
  const end = (failure: string | undefined): void => void ending.emit('end', failure);
  const processes = planned.map(({ id, endpoint }, number) => {
    const place = flags.store === 'memory' ? [] : ['--data', join(flags.data, id)];
    const args = ['--id', id, '--listen', endpoint, '--peers', peers, '--store', flags.store];
    return new NodeProcess({
      id,
      args: [...args, ...place],
      print: (line) => screen.log({ id, number }, line),
      gaveUp: (reason) => end(reason),
    });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => end(undefined));
  }
  screen.log(undefined, `starting ${planned.map(({ id }) => id).join(', ')}, ${keptIn(flags)}`);
  screen.log(undefined, 'a node that is up first reports the others as refused until they are up');
  for (const one of processes) one.start();
  const stopStatus = showStatus(planned, processes, screen);
  const failure = await ended;
  screen.log(undefined, 'stopping');
  await Promise.all([stopStatus(), ...processes.map((one) => one.stop(STOP_PATIENCE_MS))]);
  return failure;
}

function keptIn({ store, data }: DevFlags): string {
  return store === 'memory' ? 'in memory: nothing is kept' : `${store} in ${data}`;
}

/** Asks every node for its status once in a while; says once how to reach the cluster. */
function showStatus(
  planned: readonly PlannedNode[],
  processes: readonly NodeProcess[],
  screen: Screen,
): () => Promise<void> {
  const endpoints = planned.map(({ endpoint }) => endpoint);
  let client: HoldfastClient | undefined;
  let announced = false;
  let stopped = false;
  const ask = async (): Promise<void> => {
    const { connect } = await import('../../client/index.ts');
    client ??= await connect({ endpoints, exactlyOnce: false, requestTimeout: STATUS_INTERVAL_MS });
    const statuses = await client.status();
    if (stopped) return;
    const isUp = (_: unknown, i: number): boolean => processes[i]?.pid !== undefined;
    const leads = statuses.some(({ status }) => status?.role === 'leader');
    if (!announced && leads && statuses.every(isUp)) {
      announced = true;
      for (const line of welcome(endpoints)) screen.log(undefined, line);
    }
    screen.status(statusLine(statuses, processes));
  };
  let asking: Promise<void> | undefined;
  const timer = setInterval(() => {
    // Nobody is there at first, or for a while: it is asked again.
    asking ??= ask()
      .catch(() => undefined)
      .finally(() => (asking = undefined));
  }, STATUS_INTERVAL_MS);
  return async () => {
    stopped = true;
    clearInterval(timer);
    await asking;
    await client?.close();
  };
}

function welcome(endpoints: readonly string[]): string[] {
  const list = endpoints.join(',');
  return [
    '',
    `The cluster is ready: ${list}`,
    'In another terminal:',
    `  export HOLDFAST_ENDPOINTS=${list}`,
    '  npx holdfast put greeting hello && npx holdfast get greeting',
    '  npx holdfast lock jobs/nightly -- echo "only one at a time"',
    'Ctrl-C stops all nodes. Kill one by its pid below (kill -9) to see the others go on.',
    '',
  ];
}

function statusLine(
  statuses: readonly EndpointStatus[],
  processes: readonly NodeProcess[],
): string {
  const nodes = statuses.map(({ status }, i) => {
    const id = processes[i]?.id ?? '?';
    const pid = processes[i]?.pid;
    const process = pid === undefined ? 'down' : `pid ${pid}`;
    return `${id} ${status?.role ?? 'unreachable'} (${process})`;
  });
  const reachable = statuses.flatMap(({ status }) => (status === undefined ? [] : [status]));
  const term = Math.max(0, ...reachable.map((status) => status.term));
  const revision = Math.max(0, ...reachable.map((status) => status.revision));
  return `${nodes.join(' · ')} · term ${term} · revision ${revision}`;
}
