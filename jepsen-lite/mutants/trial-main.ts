/**
 * The process of a trial. It loads nothing of what may have a bug planted in it before the hook is
 * in place, so all of that is imported later.
 */
import { register } from 'node:module';
import type { SimulationResult } from '../simulation/run.ts';
import type { Wishes } from '../simulation/configuration.ts';
import type { PlantedSources } from './planting.ts';
import type { FromTrial, ToTrial } from './trial-messages.ts';

let wishes: Wishes = {};
let last: SimulationResult | undefined;

process.on('message', (message: ToTrial) => {
  void handle(message);
});
process.on('disconnect', () => process.exit());

async function handle(message: ToTrial): Promise<void> {
  switch (message.type) {
    case 'simulate':
      plantAll(message.sources);
      ({ wishes } = message);
      tell({ type: 'ready' });
      return;
    case 'tests':
      plantAll(message.sources);
      // The tests decide how the process ends; what connects it to the runner must not keep it.
      process.channel?.unref();
      for (const file of message.files) await import(file);
      return;
    case 'run':
      tell(await run(message.seed));
      return;
    case 'shrink':
      tell(await makeSmall(message.forMs));
      return;
  }
}

/** Whatever is imported from now on has the bug; the hook runs on a thread of its own. */
function plantAll(sources: PlantedSources): void {
  const hook = `const planted = ${JSON.stringify(sources)};
export async function load(url, context, nextLoad) {
  const source = planted[url];
  if (source === undefined) return await nextLoad(url, context);
  return { format: 'module', source, shortCircuit: true };
}`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}

function tell(message: FromTrial): void {
  process.send?.(message);
}

async function run(seed: number): Promise<FromTrial> {
  const { runSimulation } = await import('../simulation/run.ts');
  const before = process.cpuUsage();
  last = await runSimulation({ seed, wishes });
  const cpuMs = cpuMsSince(before);
  const { record, schedule } = last;
  const { violation } = record;
  return {
    type: 'ran',
    seed,
    workload: schedule.configuration.workload,
    nodes: schedule.configuration.nodes,
    faults: record.faults.length,
    operations: record.history.length,
    simulatedMs: record.durationMs,
    cpuMs,
    sometimes: record.sometimes,
    violation: violation && { check: violation.check, message: violation.message },
  };
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

async function makeSmall(forMs: number): Promise<FromTrial> {
  const { runSimulation } = await import('../simulation/run.ts');
  const { shrink } = await import('../simulation/shrink.ts');
  if (last === undefined) throw new Error('nothing was run that could be made small');
  const before = process.cpuUsage();
  const { schedule, violation } = await shrink(last, {
    run: runSimulation,
    mayGoOn: () => cpuMsSince(before) < forMs,
  });
  const { faults, operations, configuration } = schedule;
  return {
    type: 'shrunk',
    faults: faults.length,
    operations: operations.length,
    nodes: configuration.nodes,
    message: violation.message,
  };
}
