/** A user's state machine on simulated clusters. */
import type { StateMachine } from '../../src/node/index.ts';
import type { Checker } from '../checkers/verdict.ts';
import { snapshotHash, type Application } from '../simulation/application.ts';
import { runSimulation, type SimulationResult } from '../simulation/run.ts';
import type { MachineClient } from './machine-client.ts';
import { checkerOf, MachineWorkload, OWN_WORKLOAD, type CheckHistory } from './machine-workload.ts';
import { checkMachineOptions, mustHave } from './options.ts';
import { runSeeds, type RunChoice, type RunOne, type RunsResult } from './run-seeds.ts';

export interface SimulateOptions extends RunChoice {
  /** A new one, with nothing in it: called for each life of each node. */
  readonly stateMachine: () => StateMachine;
  /** What each client does until `stopped()`; calls that `invoke` carries out are the history. */
  readonly workload: (client: MachineClient) => Promise<void>;
  /** One client's last calls, after everything was healed. */
  readonly finish?: (client: MachineClient) => Promise<void>;
  /**
   * What the history has to be: a function that complains in one sentence, or a checker, such as
   * `linearizability(model)`.
   */
  readonly check?: CheckHistory | Checker;
}

/** How long a call of a client waits for its answer, in ms of simulated time. */
const CALL_TIMEOUT_MS = 5_000;
const MACHINE_METHODS = ['apply', 'query', 'snapshot', 'restore'];

/**
 * Runs clusters of real nodes with your state machine, on virtual time, under faults that each seed
 * draws: partitions, crashes, pauses, failing disks, changes of members. Checked at every step is
 * what Raft promises, and that your machine is deterministic: equal results and equal snapshots on
 * every node, restored ones included, and nothing thrown by `apply`; `check` judges what clients
 * saw. Stops at the first run that fails, makes it small and saves it; `summary` says in lines for
 * people what was found, and how to run it again.
 *
 * @throws HoldfastError `invalid-argument` for options that break a rule, all of which it names
 *
 * @example
 * const { passed, summary } = await simulate({
 *   stateMachine: () => new Counters(),
 *   async workload({ invoke, propose, stopped }) {
 *     while (!stopped()) {
 *       await invoke('add', { value: 1 }, () => propose(encode({ name: 'visits', by: 1 })));
 *     }
 *   },
 *   check: (history) => (history.length > 0 ? undefined : 'nobody did anything'),
 * });
 */
export async function simulate(options: SimulateOptions): Promise<RunsResult> {
  checkMachineOptions(options);
  mustHave('stateMachine', options.stateMachine(), MACHINE_METHODS);
  const run: RunOne = (simulation) => runMachine(options, simulation);
  return await runSeeds(run, options, { name: 'simulate', workload: OWN_WORKLOAD });
}

async function runMachine(
  { stateMachine, workload, finish, check }: SimulateOptions,
  simulation: Parameters<RunOne>[0],
): Promise<SimulationResult> {
  const checkers = check === undefined ? [] : [checkerOf(check)];
  const parts = { run: workload, finish, checkers, timeoutMs: CALL_TIMEOUT_MS };
  const thrown: unknown[] = [];
  const application = (): Application => watched(stateMachine(), (error) => thrown.push(error));
  const result = await runSimulation({
    ...simulation,
    workload: () => new MachineWorkload(parts),
    parts: { application },
  });
  if (thrown.length === 0 || result.record.violation !== undefined) return result;
  const [first] = thrown;
  const text = first instanceof Error ? first.message : String(first);
  const violation = {
    check: 'apply-throws',
    message: `apply threw, which the node has to take for a command without effect: ${text}`,
    atMs: result.record.durationMs,
    nodes: [],
    operations: [],
  };
  return { ...result, record: { ...result.record, violation } };
}

/** The machine, and word of what its `apply` throws. */
function watched(machine: StateMachine, threw: (error: unknown) => void): Application {
  const telling = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      threw(error);
      throw error;
    }
  };
  return {
    stateMachine: {
      configuration: machine.configuration,
      leaderSide: machine.leaderSide,
      apply: (command, context) => telling(() => machine.apply(command, context)),
      ...(machine.applyUnanswered === undefined
        ? {}
        : {
            applyUnanswered: (command, context) =>
              telling(() => machine.applyUnanswered!(command, context)),
          }),
      query: (request) => machine.query(request),
      snapshot: () => machine.snapshot(),
      get snapshotBytes() {
        return machine.snapshotBytes;
      },
      restore: (chunks) => machine.restore(chunks),
    },
    hash: () => snapshotHash(machine),
  };
}
