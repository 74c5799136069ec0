/** Replicas of a simulated cluster, compared by their hash trees. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registryApplication, type Application } from '../../jepsen-lite/simulation/application.ts';
import { drawConfiguration } from '../../jepsen-lite/simulation/configuration.ts';
import { runSimulation } from '../../jepsen-lite/simulation/run.ts';
import { below } from '../../jepsen-lite/workloads/chance.ts';
import type { Workload, WorkloadContext } from '../../jepsen-lite/workloads/workload.ts';
import { HoldfastError } from '../../src/index.ts';

const NODES = ['n1', 'n2', 'n3'];
const GOOD = Buffer.from('good value');
const PATIENCE = 200;

/** The replica keeps a value with a bit flipped, and answers as if it had it right. */
function flipped(application: Application): Application {
  const { stateMachine } = application;
  const apply = stateMachine.apply.bind(stateMachine);
  stateMachine.apply = (command, context) => {
    const at = Buffer.from(command).indexOf(GOOD);
    if (at === -1) return apply(command, context);
    const copy = Uint8Array.from(command);
    copy[at] = copy[at]! ^ 1;
    const bad = Buffer.from(copy.subarray(at, at + GOOD.length));
    const result = Buffer.from(apply(copy, context));
    const shown = result.indexOf(bad);
    if (shown !== -1) result.set(GOOD, shown);
    return Uint8Array.from(result);
  };
  return application;
}

/** What two nodes' trees say differs, once both are built. */
async function differing(
  context: WorkloadContext,
  local: string,
  remote: string,
): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await context.registry.hashTree.compare(
        { local, remote },
        (found, all: string[]) =>
          found.type === 'keyDiffs' ? [...all, ...found.diffs.map(({ key }) => key)] : all,
        [],
      );
    } catch (error) {
      if (!(error instanceof HoldfastError) || attempt === PATIENCE) throw error;
      await context.pause(100);
    }
  }
}

/** Roots that nodes tell of one lock, by its index. */
type Roots = Map<number, Set<string>>;

async function compareRoots({ registry }: WorkloadContext, roots: Roots): Promise<void> {
  try {
    const locked = await registry.hashTree.lock();
    if (locked.type !== 'ok') return;
    for (const node of NODES) {
      const told = await registry.hashTree.prefixHash([], { node });
      if (told.type !== 'ok') continue;
      const known = roots.get(told.index) ?? new Set<string>();
      roots.set(told.index, known.add(JSON.stringify(told.hash)));
    }
    await registry.hashTree.release();
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
  }
}

async function change(context: WorkloadContext, i: number): Promise<void> {
  const key = `jobs/${below(context, 4)}/${below(context, 8)}`;
  try {
    if (context.random() < 0.3) await context.registry.delete(key);
    else await context.registry.put(key, `${i}`, context.random() < 0.2 ? { ttl: 500 } : {});
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
  }
}

function workloadOf(roots: Roots, found: Map<string, string[]>): Workload {
  return {
    name: 'hash trees',
    promise: 'replicas are equal at one index',
    checkers: [],
    async run(context) {
      for (let i = 0; !context.stopped(); i++) {
        if (context.random() < 0.1) await compareRoots(context, roots);
        else await change(context, i);
        await context.pause(context.random() * 30);
      }
    },
    async finish(context) {
      await context.registry.put('jobs/x', GOOD);
      await lockTrees(context);
      for (const [i, local] of NODES.entries()) {
        for (const remote of NODES.slice(i + 1)) {
          found.set(`${local} ${remote}`, await differing(context, local, remote));
        }
      }
    },
  };
}

/** Whoever had it locked before may have to lose it first. */
async function lockTrees(context: WorkloadContext): Promise<void> {
  for (let attempt = 0; attempt < PATIENCE; attempt++) {
    if ((await context.registry.hashTree.lock()).type === 'ok') return;
    await context.pause(500);
  }
}

async function compared(
  seed: number,
  isFlipped: boolean,
): Promise<{ readonly roots: Roots; readonly found: Map<string, string[]> }> {
  const drawn = drawConfiguration(seed, { workload: 'register', nodes: 3, faultsMs: 1_500 });
  // A snapshot of what was tampered with would be found by its own hash.
  const settings = { ...drawn.settings, snapshotEveryEntries: 100_000 };
  const configuration = { ...drawn, settings };
  const roots: Roots = new Map();
  const found = new Map<string, string[]>();
  let lives = 0;
  const application = (): Application => {
    const made = registryApplication(configuration.limits);
    return isFlipped && lives++ % NODES.length === 1 ? flipped(made) : made;
  };
  const { record } = await runSimulation({
    seed,
    configuration,
    workload: () => workloadOf(roots, found),
    parts: { application },
    ...(isFlipped && { faults: [] }),
  });
  assert.equal(record.violation?.message, undefined);
  return { roots, found };
}

test('[JEPSEN-17] hash trees of replicas are equal at equal indexes', async () => {
  const { roots, found } = await compared(1, false);
  assert.deepEqual([...found.values()], [[], [], []]);
  assert.ok(roots.size > 3, `${roots.size} locks were compared`);
  for (const told of roots.values()) assert.equal(told.size, 1);
});

test('[JEPSEN-17] a bit that is flipped in one replica is found, and its key named', async () => {
  const { found } = await compared(3, true);
  assert.deepEqual(Object.fromEntries(found), {
    'n1 n2': ['jobs/x'],
    'n1 n3': [],
    'n2 n3': ['jobs/x'],
  });
});
