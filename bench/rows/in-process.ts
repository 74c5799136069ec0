/** Three nodes in one process on one core, with the memory store and no sockets. */
import { fileURLToPath } from 'node:url';
import type { InProcessKind, InProcessResult, InProcessSpec } from '../in-process/spec.ts';
import { latencyFigures, type Figures } from '../measure/figures.ts';
import type { Point } from '../measure/turns.ts';
import { runProgram } from '../run-program.ts';
import { contest, stateless, type Bench, type Family } from './family.ts';

const PROGRAM = fileURLToPath(new URL('../in-process/program.js', import.meta.url));
const CLIENTS = [1, 64, 256, 1024, 4096];
const QUICK_CLIENTS = [1, 1024];
const KINDS: readonly InProcessKind[] = ['counter', 'registry', 'embedded'];

/** Every measurement is a process of its own, which has compiled nothing yet. */
const LEAST_WARM_UP_MS = 1500;

interface ClientsPoint extends Point {
  readonly clients: number;
}

async function measure(bench: Bench, kind: InProcessKind, clients: number): Promise<Figures> {
  const { measureMs, profileDirectory } = bench.options;
  const warmUpMs = Math.max(LEAST_WARM_UP_MS, bench.options.warmUpMs);
  const spec: InProcessSpec = { kind, clients, warmUpMs, measureMs };
  const nodeArguments =
    profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
  const options = { nodeArguments, onOneCore: true };
  const { perSecond, latency, micros } = await runProgram<InProcessResult>(PROGRAM, spec, options);
  return { perSecond, ...latencyFigures(latency), micros };
}

export const inProcess: Family = {
  name: 'in-process',
  about: 'three nodes in one process on one core, memory store: a counter, the registry, embedded',
  columns: [
    { figure: 'perSecond', title: 'per s', digits: 0 },
    { figure: 'p50Ms', title: 'p50 ms', digits: 2 },
    { figure: 'p99Ms', title: 'p99 ms', digits: 2 },
    { figure: 'micros', title: 'us/op', digits: 1 },
  ],
  headline: 'perSecond',
  drawn: 'load',
  // Raft alone, with nothing to replicate.
  limitOf: (contestant) => (contestant === 'counter' ? undefined : 'counter'),
  run: (bench) => {
    const points = (bench.options.quick ? QUICK_CLIENTS : CLIENTS).map((clients): ClientsPoint => ({
      label: clients === 1 ? '1 client' : `${clients.toLocaleString('en')} clients`,
      x: clients,
      clients,
    }));
    const entrants = KINDS.map((kind) =>
      stateless<ClientsPoint>(kind, ({ clients }) => measure(bench, kind, clients)),
    );
    return contest(bench, 'in-process', points, entrants);
  },
};
