/**
 * How long a long history takes to be judged: a million operations of sixteen clients on a few
 * keys, written as a registry would have it, with the revisions that make a witness, and without;
 * and how long `jepsen-lite check` takes for a file of it, whose lines have to be read first.
 *
 *   node dist/bench/checker.js [operations] [keys]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checker } from '../jepsen-lite/checkers/verdict.ts';
import { readHistory } from '../jepsen-lite/history/read.ts';
import { HistoryWriter } from '../jepsen-lite/history/write.ts';
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

interface Measured {
  readonly checker: Checker;
  readonly judged: readonly Operation[];
}

/** Prints what a call took, in time and in time of the processor. */
async function measured<T>(what: string, call: () => T | Promise<T>): Promise<T> {
  const [begun, busy] = [performance.now(), process.cpuUsage()];
  const result = await call();
  const seconds = ((performance.now() - begun) / 1_000).toFixed(2);
  const cpu = (process.cpuUsage(busy).user / 1e6).toFixed(2);
  console.log(`${what}: ${seconds} s (${cpu} s of CPU)`);
  return result;
}

function judge({ checker, judged }: Measured): void {
  const verdict = checker.check(judged, { timeLimitMs: 600_000 });
  const how = verdict.type === 'ok' ? `${verdict.how} ${JSON.stringify(verdict.checked)}` : '';
  console.log(`  ${verdict.type} ${how}`);
}

/** As a user does it: lines of a file, in the order in which operations returned. */
async function judgeFile(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  try {
    const path = join(directory, 'history.jsonl');
    const writer = await HistoryWriter.create(path);
    for (const one of history.toSorted((a, b) => a.return! - b.return!)) writer.write(one);
    await writer.close();
    await measured('a file of it, read and judged', async () => {
      judge({ checker: register, judged: await readHistory(path) });
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}

await judgeFile();
await measured('with revisions', () => judge({ checker: register, judged: history }));
await measured('revisions over all keys', () => judge({ checker: revisions, judged: history }));
await measured('without revisions', () => judge({ checker: register, judged: undated }));
