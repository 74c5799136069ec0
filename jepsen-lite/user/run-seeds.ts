/** Runs of simulated clusters with something of the user's own in them, one seed after another. */
import { HoldfastError } from '../../src/base/index.ts';
import { parseDuration } from '../../src/client/index.ts';
import type { Wishes } from '../simulation/configuration.ts';
import { formatReplay, type ReplayFile, type ReplayFound } from '../simulation/replay-file.ts';
import { outcomeOf, type RunRecord, type Violation } from '../simulation/run-record.ts';
import { eventLines, outcomeLine } from '../simulation/run-text.ts';
import type { SimulationOptions, SimulationResult } from '../simulation/run.ts';
import { parseSeeds } from '../simulation/seeds.ts';
import { shrink, type ShrinkRun } from '../simulation/shrink.ts';
import { countsOf, Tally } from '../simulation/tally.ts';
import { prepareFolders, readReplay, reportIfWanted, saveReplay } from './failure-files.ts';
import { OWN_WORKLOAD } from './machine-workload.ts';

/** Which runs there are, and how much is done about one that fails. */
export interface RunChoice {
  /** Each seed is a run of its own: `7` or `1..20`. */
  readonly seeds?: string | number;
  /** How long faults come and go, in simulated time: `10s`, or milliseconds; 10 s unless given. */
  readonly time?: string | number;
  /** Founding nodes, up to 9; drawn by the seed unless given. */
  readonly nodes?: number;
  /** Clients, up to 100; drawn by the seed unless given. */
  readonly clients?: number;
  /**
   * How long a run that fails is made smaller, in real time: `20s`, or milliseconds; 20 s unless
   * given, 0 not at all. A run of `replay` is left as it is unless this is given.
   */
  readonly shrink?: string | number;
  /** A run that failed earlier, run in place of seeds: its file, or its text. */
  readonly replay?: string;
  /** The folder that a failing run is saved in; a temporary one unless given. */
  readonly save?: string;
  /** Writes this HTML file, to look at: of the run that failed, made small, or of the last one. */
  readonly report?: string;
}

/** A run in which something was violated, as small as it could be made. */
export interface RunFailure {
  /** Of the run that failed; that of the smaller one is in its record. */
  readonly seed: number;
  readonly violation: Violation;
  readonly record: RunRecord;
  /** All that decides the run, as text: give it back as `replay` to see it again. */
  readonly replay: string;
  /** The file with that text, which does as well. */
  readonly path: string;
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

/** What is called to run seeds, as users read it. */
export interface RunCaller {
  readonly name: 'simulate' | 'testLogStoreUnderFaults';
  readonly workload: string | undefined;
}

/** Ends with the first run that fails. */
export async function runSeeds(
  run: RunOne,
  choice: RunChoice,
  caller: RunCaller,
): Promise<RunsResult> {
  prepareFolders(choice);
  const tally = new Tally();
  let unknown: RunRecord | undefined;
  let last: RunRecord | undefined;
  const notes: string[] = [];
  for (const options of optionsOf(choice, caller)) {
    const result = await run(options);
    const replay = callText(caller, seedText(options.seed));
    last = { ...result.record, replay };
    tally.add(countsOf(last));
    notes.push(...sameLines(options, last));
    if (outcomeOf(last) === 'unknown') unknown ??= last;
    if (last.violation !== undefined) {
      return await failed(run, choice, caller, { result, tally, notes });
    }
  }
  if (last !== undefined) await reportIfWanted(last, choice);
  const found = unknown === undefined ? [] : [outcomeLine(unknown)];
  const lines = [...found, ...tally.lines(), ...notes];
  return { passed: unknown === undefined, runs: tally.runs, summary: lines.join('\n') };
}

interface ChosenRun extends SimulationOptions {
  /** What a run that was saved had come to. */
  readonly found?: ReplayFound | undefined;
}

function* optionsOf(choice: RunChoice, caller: RunCaller): Iterable<ChosenRun> {
  if (choice.replay !== undefined) {
    yield replayFor(caller, choice.replay);
    return;
  }
  const { from, to } = parseSeeds(String(choice.seeds ?? DEFAULT_SEEDS));
  const wishes: Wishes = {
    workload: caller.workload,
    faultsMs: parseDuration(choice.time ?? DEFAULT_TIME),
    nodes: choice.nodes,
    clients: choice.clients,
  };
  for (let seed = from; seed <= to; seed++) yield { seed, wishes };
}

/** @throws HoldfastError `invalid-argument`, also for a run that is another call's */
function replayFor({ name }: RunCaller, replay: string): ReplayFile {
  const saved = readReplay(replay);
  const { workload } = saved.configuration;
  const isMachines = workload === OWN_WORKLOAD;
  if (isMachines === (name === 'simulate')) return saved;
  const what = isMachines
    ? 'a run of a state machine is for simulate({ ..., replay: FILE })'
    : `a run of the registry (${workload}) is for npx jepsen-lite replay FILE, ` +
      'or of a log store for testLogStoreUnderFaults({ ..., replay: FILE })';
  throw new HoldfastError('invalid-argument', `replay: ${what}`);
}

/** Whether a run that was saved is still that one. */
function sameLines({ found }: ChosenRun, { traceHash }: RunRecord): readonly string[] {
  if (found === undefined || found.traceHash === traceHash) return [];
  return ['not the run that was saved: the code, or the file, has changed since'];
}

interface FailedRun {
  readonly result: SimulationResult;
  readonly tally: Tally;
  readonly notes: readonly string[];
}

async function failed(
  run: RunOne,
  choice: RunChoice,
  caller: RunCaller,
  { result, tally, notes }: FailedRun,
): Promise<RunsResult> {
  const { record: small, schedule } = await madeSmall(run, choice, result);
  const violation = small.violation ?? result.record.violation!;
  const { check, message } = violation;
  const replay = formatReplay(schedule, { check, message, traceHash: small.traceHash });
  const { seed } = result.record;
  const path = saveReplay(replay, seed, choice);
  const record = { ...small, replay: callText(caller, `replay: '${path}'`) };
  await reportIfWanted(record, choice);
  const summary = [
    outcomeLine(result.record),
    ...told(record, violation),
    ...tally.lines(),
    ...notes,
    `what is left of it again: ${record.replay}`,
    ...(choice.replay === undefined ? [`all of it: ${callText(caller, seedText(seed))}`] : []),
    ...(choice.report === undefined ? [] : [`to look at: ${choice.report}`]),
  ];
  const failure = { seed, violation, record, replay, path };
  return { passed: false, runs: tally.runs, summary: summary.join('\n'), failure };
}

/** The call that runs it again; all other options stay as they are. */
function callText({ name }: RunCaller, option: string): string {
  return `${name}({ ..., ${option} })`;
}

function seedText(seed: number): string {
  return `seeds: '${seed}'`;
}

function told(record: RunRecord, { message }: Violation): readonly string[] {
  const events = eventLines(record);
  if (events.length === 0) {
    const { faults, history, nodes } = record;
    const size = `${faults.length} faults, ${history.length} operations, ${nodes.length} nodes`;
    return [`left of it, and too much to be told here: ${size}`];
  }
  const inShort = message.split('\n', 1)[0]!;
  return ['what is left of it once all is left out that is not needed:', ...events, inShort];
}

async function madeSmall(
  run: RunOne,
  { replay, shrink: time = replay === undefined ? DEFAULT_SHRINK : 0 }: RunChoice,
  result: SimulationResult,
): Promise<ShrinkRun> {
  if (Number(time) === 0) return result;
  const endAt = performance.now() + parseDuration(time);
  return await shrink(result, { run, mayGoOn: () => performance.now() < endAt });
}
