/**
 * A state machine of one's own under faults. The one here has a bug: it knows commands that come
 * twice, but what it knows is not in its snapshots. No test of the machine alone would show that.
 *
 *     npm run example fault-injection-state-machine
 */
import { linearizability, simulate } from 'holdfast/jepsen-lite';
import { add, ask, counter, countOf, ForgetfulCounters } from './counters.ts';

const answered = (bytes: Uint8Array) => ({ output: countOf(bytes) });

const { passed, summary } = await simulate({
  stateMachine: () => new ForgetfulCounters(),
  seeds: process.argv[2] ?? '1..20',
  shrink: process.argv[3] ?? '20s',
  async workload({ client, invoke, propose, query, pause, random, stopped }) {
    const done: Uint8Array[] = [];
    for (let n = 0; !stopped(); n++) {
      const command = add('visits', 1, `${client}/${n}`);
      const adding = { key: 'visits', value: 1 };
      const answer = await invoke('add', adding, () => propose(command), answered);
      if (answer !== undefined) done.push(command);
      await invoke('read', { key: 'visits' }, () => query(ask('visits')), answered);
      await pause(20 * random());
      // Whoever sends commands may send one again, also long after it was answered.
      const old = done[Math.floor(10 * random() * done.length)];
      if (old !== undefined) await propose(old).catch(() => undefined);
    }
  },
  check: linearizability(counter, 'counts go up by what was added'),
});
console.log(summary);
console.log(passed ? 'nothing was found' : 'the bug was found');
