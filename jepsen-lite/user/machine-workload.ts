/** What a user's clients do and what is demanded of it, as a workload. */
import { HoldfastError } from '../../src/base/index.ts';
import type { CheckOptions, Checker, Verdict } from '../checkers/verdict.ts';
import type { Operation } from '../history/operation.ts';
import type { RecordingContext } from '../simulation/recorder.ts';
import type { Workload } from '../workloads/workload.ts';
import { machineClient, type MachineClient } from './machine-client.ts';

/** The name of a user's own workload, in records and files. */
export const OWN_WORKLOAD = 'yours';

/** What is wrong with a history, in one sentence, and which operations it is about. */
export interface Complaint {
  readonly message: string;
  readonly operations?: readonly Operation[];
}

/** Undefined of a history that is as it should be. */
export type CheckHistory = (history: readonly Operation[]) => string | Complaint | undefined;

export interface MachineWorkloadParts {
  readonly run: (client: MachineClient) => Promise<void>;
  readonly finish: ((client: MachineClient) => Promise<void>) | undefined;
  readonly checkers: readonly Checker[];
  readonly timeoutMs: number;
}

/** In simulation every context is a recording one. */
export class MachineWorkload implements Workload {
  readonly name: string = OWN_WORKLOAD;
  readonly promise = 'what your check demands';
  readonly checkers: readonly Checker[];
  readonly #parts: MachineWorkloadParts;
  readonly finish?: (context: RecordingContext) => Promise<void>;

  constructor(parts: MachineWorkloadParts) {
    this.#parts = parts;
    this.checkers = parts.checkers;
    const { finish, timeoutMs } = parts;
    if (finish === undefined) return;
    this.finish = (context) => finish(machineClient(context, 0, timeoutMs));
  }

  async run(context: RecordingContext, client: number): Promise<void> {
    await this.#parts.run(machineClient(context, client, this.#parts.timeoutMs));
  }
}

export function checkerOf(check: Checker | CheckHistory): Checker {
  if (typeof check === 'object') return check;
  return {
    name: 'check',
    promise: 'what your check demands',
    check: (history: readonly Operation[], _options?: CheckOptions): Verdict => {
      const found = check(history);
      if (found === undefined) {
        return { type: 'ok', how: 'your check', checked: { operations: history.length } };
      }
      return { type: 'illegal', ...complaintOf(found) };
    },
  };
}

/** Types are of no use to who writes JavaScript. */
function complaintOf(found: unknown): Required<Complaint> {
  if (typeof found === 'string') return { message: found, operations: [] };
  const { message, operations = [] } = Object(found) as Partial<Complaint>;
  if (typeof message === 'string') return { message, operations };
  const what = found instanceof Promise ? 'a promise' : String(found);
  throw new HoldfastError(
    'invalid-argument',
    `check returned ${what}: a sentence, or { message }, says what is wrong; ` +
      'undefined, that nothing is',
  );
}
