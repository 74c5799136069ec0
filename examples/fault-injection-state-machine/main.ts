/**
 * A state machine of one's own under faults. The one here has a bug: it knows commands that are sent
 * twice, but what it knows is not in its snapshots. No test of the machine alone would show that.
 *
 *     npm run example fault-injection-state-machine
 */
import { linearizability, simulate, type RunsResult } from 'holdfast/jepsen-lite';
import { counter, Counters, decode, encode, ForgetfulCounters } from './counters.ts';

function underFaults(stateMachine: () => Counters, seeds: string): Promise<RunsResult> {
  return simulate({
    stateMachine,
    seeds,
    async workload({ client, invoke, propose, query, pause, random, stopped }) {
      for (let n = 0; !stopped(); n++) {
        const command = encode({ name: 'visits', by: 1, id: `${client}/${n}` });
        const twice = (): Promise<Uint8Array> => propose(command).catch(() => propose(command));
        await invoke('add', { key: 'visits', value: 1 }, twice, answered);
        await invoke('read', { key: 'visits' }, () => query(encode('visits')), answered);
        await pause(20 * random());
      }
    },
    check: linearizability(counter, 'counts go up by what was added'),
  });
}

const answered = (bytes: Uint8Array) => ({ output: decode<number>(bytes) });

const seeds = process.argv[2] ?? '1..20';
const { passed, summary } = await underFaults(() => new ForgetfulCounters(), seeds);
console.log(summary);
console.log(passed ? 'nothing was found' : 'the bug was found');
