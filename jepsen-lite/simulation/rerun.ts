/** A run and its rerun: equal in every step, or something besides the seed decided some of it. */
import type { Wishes } from './configuration.ts';
import type { RunRecord } from './run-record.ts';
import { runSimulation, type SimulationResult } from './run.ts';

/**
 * Runs it again from its seed, with all that is drawn from it; a run that is not the same has a
 * violation of its own.
 */
export async function again(first: SimulationResult, wishes: Wishes): Promise<SimulationResult> {
  if (first.record.violation !== undefined) return first;
  const { record } = await runSimulation({ seed: first.schedule.seed, wishes });
  const difference = differenceOf(first.record, record);
  if (difference === undefined) return first;
  const violation = {
    check: 'determinism',
    message: `the same seed gave two different runs: ${difference}`,
    atMs: first.record.durationMs,
    nodes: [],
    operations: [],
  };
  return { ...first, record: { ...first.record, violation } };
}

function differenceOf(first: RunRecord, second: RunRecord): string | undefined {
  if (first.traceHash !== second.traceHash) {
    return `trace ${first.traceHash}, then ${second.traceHash}`;
  }
  const places = first.history.findIndex(
    (operation, i) => JSON.stringify(operation) !== JSON.stringify(second.history[i]),
  );
  if (places >= 0) return `operation ${places} of the history is another one`;
  const [one, two] = [first.history.length, second.history.length];
  return one === two ? undefined : `${one} operations, then ${two}`;
}
