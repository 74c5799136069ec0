/** What is done about a simulated run with a violation: made small, saved, and told. */
import { join } from 'node:path';
import { printLine } from '../../src/cli/output.ts';
import { startProgress } from '../../src/cli/progress.ts';
import { formatReplay } from '../simulation/replay-file.ts';
import type { RunRecord } from '../simulation/run-record.ts';
import { runSimulation, type SimulationResult } from '../simulation/run.ts';
import { shrink, type ShrinkRun } from '../simulation/shrink.ts';
import { writeText } from './output-files.ts';
import { replayFileCommand } from './simulation-flags.ts';
import { eventLines } from '../simulation/run-text.ts';

export interface FailingRunOptions {
  /** Where the file goes. */
  readonly directory: string;
  /** How long it may take to make the run small, in ms; 0: not at all. */
  readonly shrinkMs: number;
  /** Saves what is reached by then. */
  readonly signal?: AbortSignal;
}

export interface SavedRun {
  readonly path: string;
  readonly record: RunRecord;
}

/** Makes the run as small as the time allows and saves what is left. */
export async function saveFailingRun(
  result: SimulationResult,
  { directory, shrinkMs, signal }: FailingRunOptions,
): Promise<SavedRun> {
  const small = shrinkMs > 0 ? await shrinkWithProgress(result, shrinkMs, signal) : result;
  const { record, schedule } = small;
  const path = join(directory, `jepsen-lite-${result.record.seed}.json`);
  await writeText(path, replayText({ record, schedule }));
  return { path, record: { ...record, replay: replayFileCommand(path) } };
}

function replayText({ record, schedule }: ShrinkRun): string {
  const { violation, traceHash } = record;
  if (violation === undefined) return formatReplay(schedule);
  const { check, message } = violation;
  return formatReplay(schedule, { check, message, traceHash });
}

async function shrinkWithProgress(
  result: ShrinkRun,
  shrinkMs: number,
  signal: AbortSignal | undefined,
): Promise<ShrinkRun> {
  const progress = startProgress();
  const endAt = performance.now() + shrinkMs;
  const shrunk = await shrink(result, {
    run: runSimulation,
    mayGoOn: () => performance.now() < endAt && signal?.aborted !== true,
    onProgress: (reached, runs) =>
      progress.update(() => `making it small: ${sizeText(reached)} after ${runs} runs`),
  });
  const end = shrunk.isSmallest ? 'nothing more can be left out' : 'more might be left out';
  progress.end(`made small in ${shrunk.runs} runs: ${sizeText(shrunk)}; ${end}`);
  return shrunk;
}

function sizeText({ schedule }: ShrinkRun): string {
  const { faults, operations, configuration } = schedule;
  const { nodes } = configuration;
  return `${faults.length} faults, ${operations.length} operations, ${nodes} nodes`;
}

/** For people: what is left, step by step, and how to see it again. */
export function printSavedRun({ record }: SavedRun): void {
  const lines = eventLines(record);
  if (lines.length > 0) printLine('What is left of it:');
  for (const line of lines) printLine(line);
  const { violation } = record;
  // Where something was thrown has been told by now.
  if (violation !== undefined) printLine(`In short: ${violation.message.split('\n', 1)[0]}`);
  printLine(`Saved: ${record.replay}`);
}
