/** Runs of simulated clusters with something of the user's own in them, one seed after another. */
import { parseDuration } from '../../src/client/index.ts';
import type { Wishes } from '../simulation/configuration.ts';
import { formatReplay, parseReplay } from '../simulation/replay-file.ts';
import { outcomeOf, type RunRecord, type Violation } from '../simulation/run-record.ts';
import { eventLines, outcomeLine } from '../simulation/run-text.ts';
import type { SimulationOptions, SimulationResult } from '../simulation/run.ts';
import { parseSeeds } from '../simulation/seeds.ts';
import { shrink, type ShrinkRun } from '../simulation/shrink.ts';
import { countsOf, Tally } from '../simulation/tally.ts';

/** Which runs there are, and how much is done about one that fails. */
export interface RunChoice {
  /** Each seed is a run of its own: `7` or `1..20`. */
  readonly seeds?: string;
  /** How long faults come and go, in simulated time: `10s`, or milliseconds; 10 s unless given. */
  readonly time?: string | number;
  /** Founding nodes; drawn by the seed unless given. */
  readonly nodes?: number;
  /** Clients; drawn by the seed unless given. */
  readonly clients?: number;
  /**
   * How long a run that fails is made smaller, in real time: `20s`, or milliseconds; 20 s unless
   * given, 0 not at all.
   */
  readonly shrink?: string | number;
  /** The text of a run that failed earlier (`failure.replay`): it is run in place of seeds. */
  readonly replay?: string;
}

/** A run in which something was violated, as small as it could be made. */
export interface RunFailure {
  /** Of the run that failed; that of the smaller one is in its record. */
  readonly seed: number;
  readonly violation: Violation;
  readonly record: RunRecord;
  /** All that decides the run, as text: give it back as `replay` to see it again. */
  readonly replay: string;
}

export interface RunsResult {
  /** Nothing was violated, and every run could be judged. */
  readonly passed: boolean;
  readonly runs: number;
  /** What was done and found, in lines for people. */
  readonly summary: string;
  readonly failure?: RunFailure;
}

/** Carries out one run with the user's part in it. */
export type RunOne = (options: SimulationOptions) => Promise<SimulationResult>;

const DEFAULT_SEEDS = '1..20';
const DEFAULT_TIME = '10s';
const DEFAULT_SHRINK = '20s';

/** Ends with the first run that fails. */
export async function runSeeds(
  run: RunOne,
  choice: RunChoice,
  workload: string | undefined,
): Promise<RunsResult> {
  const tally = new Tally();
  let unknown: RunRecord | undefined;
  for (const options of optionsOf(choice, workload)) {
    const result = await run(options);
    const { record } = result;
    tally.add(countsOf(record));
    if (outcomeOf(record) === 'unknown') unknown ??= record;
    if (record.violation !== undefined) return await failed(run, choice, result, tally);
  }
  const lines = [...(unknown === undefined ? [] : [outcomeLine(unknown)]), ...tally.lines()];
  return { passed: unknown === undefined, runs: tally.runs, summary: lines.join('\n') };
}

function* optionsOf(choice: RunChoice, workload: string | undefined): Iterable<SimulationOptions> {
  if (choice.replay !== undefined) {
    yield parseReplay(choice.replay);
    return;
  }
  const { from, to } = parseSeeds(choice.seeds ?? DEFAULT_SEEDS);
  const wishes: Wishes = {
    workload,
    faultsMs: parseDuration(choice.time ?? DEFAULT_TIME),
    nodes: choice.nodes,
    clients: choice.clients,
  };
  for (let seed = from; seed <= to; seed++) yield { seed, wishes };
}

async function failed(
  run: RunOne,
  choice: RunChoice,
  result: SimulationResult,
  tally: Tally,
): Promise<RunsResult> {
  const small = await madeSmall(run, choice, result);
  const { record, schedule } = small;
  const violation = record.violation ?? result.record.violation!;
  const { check, message } = violation;
  const replay = formatReplay(schedule, { check, message, traceHash: record.traceHash });
  const summary = [
    outcomeLine(result.record),
    ...told(record, violation),
    ...tally.lines(),
    `again: { seeds: '${result.record.seed}' }, or the smaller run with { replay }`,
  ];
  const failure = { seed: result.record.seed, violation, record, replay };
  return { passed: false, runs: tally.runs, summary: summary.join('\n'), failure };
}

function told(record: RunRecord, { message }: Violation): readonly string[] {
  const events = eventLines(record);
  if (events.length === 0) {
    const { faults, history, nodes } = record;
    const size = `${faults.length} faults, ${history.length} operations, ${nodes.length} nodes`;
    return [`left of it, and too much to be told here: ${size}`];
  }
  return ['what is left of it once all is left out that is not needed:', ...events, message];
}

async function madeSmall(
  run: RunOne,
  { shrink: time = DEFAULT_SHRINK }: RunChoice,
  result: SimulationResult,
): Promise<ShrinkRun> {
  if (Number(time) === 0) return result;
  const endAt = performance.now() + parseDuration(time);
  return await shrink(result, { run, mayGoOn: () => performance.now() < endAt });
}
