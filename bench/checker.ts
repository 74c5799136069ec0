/**
 * How long a long history takes to be judged: a million operations of sixteen clients on a few
 * keys, written as a registry would have it, with the revisions that make a witness, and without.
 *
 *   node dist/bench/checker.js [operations] [keys]
 */
import { register } from '../jepsen-lite/checkers/register.ts';
import { revisions } from '../jepsen-lite/checkers/revisions.ts';
import type { Operation } from '../jepsen-lite/history/operation.ts';

const CLIENTS = 16;
/** Mean time from call to return, in ns. */
const LENGTH_NS = 2_000_000;

/** Each client calls one operation after another; each takes effect at some moment within. */
function historyOf(operations: number, keys: number): Operation[] {
  let seed = 7;
  const random = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const clocks = new Float64Array(CLIENTS);
  const planned = Array.from({ length: operations }, (_, i) => {
    const process = i % CLIENTS;
    const call = clocks[process]! + random() * LENGTH_NS;
    const end = call + random() * 2 * LENGTH_NS;
    clocks[process] = end;
    return { process, call, end, effect: call + random() * (end - call) };
  });
  planned.sort((a, b) => a.effect - b.effect);
  const values = new Map<string, { readonly value: string; readonly revision: number }>();
  let revision = 0;
  return planned.map(({ process, call, end }): Operation => {
    const key = `k${Math.floor(random() * keys)}`;
    const common = {
      process,
      key,
      call: Math.round(call),
      return: Math.round(end),
      type: 'ok',
    } as const;
    const there = values.get(key);
    if (random() < 0.5) {
      const output = there?.value ?? null;
      return { ...common, f: 'get', output, ...(there && { revision: there.revision }) };
    }
    const value = String(++revision);
    values.set(key, { value, revision });
    return { ...common, f: 'put', value, output: null, revision };
  });
}

function withoutRevision(operation: Operation): Operation {
  const { process, f, key, value, call, return: end, type, output } = operation;
  return { process, f, ...(key !== undefined && { key }), value, call, return: end, type, output };
}

const operations = Number(process.argv[2] ?? 1_000_000);
const keys = Number(process.argv[3] ?? 5);
const history = historyOf(operations, keys);
const undated = history.map(withoutRevision);

for (const [what, checker, judged] of [
  ['with revisions', register, history],
  ['revisions over all keys', revisions, history],
  ['without revisions', register, undated],
] as const) {
  const [begun, busy] = [performance.now(), process.cpuUsage()];
  const verdict = checker.check(judged, { timeLimitMs: 600_000 });
  const seconds = ((performance.now() - begun) / 1_000).toFixed(2);
  const cpu = (process.cpuUsage(busy).user / 1e6).toFixed(2);
  const how = verdict.type === 'ok' ? `${verdict.how} ${JSON.stringify(verdict.checked)}` : '';
  console.log(`${what}: ${verdict.type} ${how} in ${seconds} s (${cpu} s of CPU)`);
}
