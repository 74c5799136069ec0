/** A run that never was, with ten thousand operations by default: for tests of the report. */
import { register, registerModel } from '../../../jepsen-lite/checkers/register.ts';
import type { Operation } from '../../../jepsen-lite/history/operation.ts';
import {
  RUN_RECORD_VERSION,
  type RunRecord,
  type Violation,
} from '../../../jepsen-lite/simulation/run-record.ts';
import { chanceOf, type Chance } from './sample-chance.ts';
import { sampleCluster, sampleMessages, type SampleCluster } from './sample-cluster.ts';

const NS_PER_MS = 1e6;
const FAULTS_FROM_MS = 1500;
const CLIENTS = 9;

export interface SampleOptions {
  readonly seed?: number;
  readonly operations?: number;
  readonly durationMs?: number;
  /** Whether a read answers with an old value. */
  readonly fails?: boolean;
}

export function sampleRecord(options: SampleOptions = {}): RunRecord {
  const { seed = 7, operations = 10_000, durationMs = 60_000, fails = false } = options;
  const chance = chanceOf(seed);
  const ids = ['n1', 'n2', 'n3', 'n4', 'n5'];
  const faultsToMs = durationMs * 0.7;
  const cluster = sampleCluster(chance, ids, FAULTS_FROM_MS, faultsToMs, durationMs);
  const history = sampleHistory(chance, cluster, operations, durationMs);
  const violation = fails ? plantStaleRead(history, durationMs * 0.5) : undefined;
  const verdict = register.check(history);
  const aroundMs = violation?.atMs ?? durationMs * 0.4;
  const kept = [
    ...sampleMessages(chance, cluster, ids, 300, aroundMs - 1500, 1000),
    ...sampleMessages(chance, cluster, ids, aroundMs - 1500, aroundMs + 700, 12),
    ...sampleMessages(chance, cluster, ids, aroundMs + 700, durationMs, 1000),
  ];
  return {
    version: RUN_RECORD_VERSION,
    harness: 'simulation',
    seed,
    workload: {
      name: 'register',
      promise: 'each key is read and written as if there were one copy of it',
    },
    configuration: {
      nodes: ids.length,
      clients: CLIENTS,
      electionTimeoutMs: 150,
      heartbeatMs: 40,
      snapshotEveryEntries: 512,
      preVote: true,
      swarm: { loss: 0.05, crashWhilePending: 0.4, clock: true, disk: ['slow', 'full', 'bitFlip'] },
    },
    replay: `npx jepsen-lite replay --seed ${seed} --workload register`,
    phases: [
      { name: 'setup', fromMs: 0, toMs: FAULTS_FROM_MS },
      { name: 'safety', fromMs: FAULTS_FROM_MS, toMs: faultsToMs },
      { name: 'liveness', fromMs: faultsToMs, toMs: durationMs * 0.85 },
      { name: 'convergence', fromMs: durationMs * 0.85, toMs: durationMs * 0.95 },
      { name: 'finish', fromMs: durationMs * 0.95, toMs: durationMs },
    ],
    faults: cluster.faults,
    history,
    nodes: cluster.nodes,
    messages: {
      sent: 128_411,
      kept,
      choice: `all from ${Math.round(aroundMs - 1500)} ms on for 2.2 s, else a round a second`,
    },
    sometimes: {
      'two leaders of different terms alive': 6,
      'figure 8 shape': 0,
      'snapshot installed inside a partition': 2,
      'torn tail recovered': 11,
      'write under way at a crash': 17,
      'log suffix truncated': 23,
      'lease expired unheard': 3,
      'damaged record detected': 4,
    },
    results: [{ checker: 'register', promise: register.promise, verdict }],
    ...(violation !== undefined && { violation: { ...violation, message: messageOf(verdict) } }),
    notTested: ['Mixed versions: there is one version yet.', 'Real disks: the store is simulated.'],
    traceHash: '9f2c41d07be3a865',
    durationMs,
    wallMs: 311,
  };
}

function messageOf(verdict: RunRecord['results'][number]['verdict']): string {
  return verdict.type === 'illegal' ? verdict.message : 'none was found';
}

/** Every call takes effect at one moment between its call and its return, so the history holds. */
function sampleHistory(
  chance: Chance,
  cluster: SampleCluster,
  count: number,
  durationMs: number,
): Operation[] {
  const drafts: { operation: Operation; pointNs: number }[] = [];
  const eachMs = (durationMs * CLIENTS) / count;
  let nextProcess = CLIENTS;
  for (let client = 0; client < CLIENTS; client++) {
    let process = client;
    let atMs = 400 + client * 7;
    while (atMs < durationMs - 60) {
      const draft = drawOperation(chance, cluster, process, atMs);
      drafts.push(draft);
      const { type, call } = draft.operation;
      if (type === 'info') process = nextProcess++;
      const endMs = type === 'info' ? atMs + 900 : draft.operation.return! / NS_PER_MS;
      atMs = Math.max(endMs, call / NS_PER_MS) + chance.between(0.2, 2 * eachMs - 7);
    }
  }
  drafts.sort((a, b) => a.pointNs - b.pointNs);
  const states = new Map<string, string>();
  const revisions = new Map<string, number>();
  let revision = 100;
  const answered = drafts.map(({ operation, pointNs }) => {
    if (operation.type === 'fail' || pointNs === Infinity) return operation;
    const key = operation.key!;
    const state = states.get(key) ?? '';
    const written = answer(operation, state);
    const changes = operation.f !== 'get' && written.output !== false;
    if (changes) revision++;
    const next = registerModel.step(state, written);
    states.set(key, next!);
    if (changes) revisions.set(key, revision);
    if (operation.type === 'info') return operation;
    const isAbsentRead = operation.f === 'get' && written.output === null;
    if (isAbsentRead || written.output === false || operation.f === 'delete') return written;
    return { ...written, revision: revisions.get(key)! };
  });
  return answered.toSorted((a, b) => a.call - b.call);
}

function answer(operation: Operation, state: string): Operation {
  const value: unknown = state === '' ? null : JSON.parse(state);
  if (operation.f === 'get') return { ...operation, output: value };
  if (operation.f !== 'cas') return operation;
  return { ...operation, output: (operation.value as unknown[])[0] === value };
}

function drawOperation(
  chance: Chance,
  cluster: SampleCluster,
  process: number,
  atMs: number,
): { operation: Operation; pointNs: number } {
  const key = `register/${Math.floor(chance.next() ** 1.6 * 6)}`;
  const value = String(Math.floor(chance.next() * 5));
  const from = String(Math.floor(chance.next() * 5));
  const kind = chance.next();
  const f = kind < 0.45 ? 'get' : kind < 0.75 ? 'put' : kind < 0.94 ? 'cas' : 'delete';
  const outage = cluster.outages.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
  const waitMs = outage === undefined ? 0 : (outage.toMs - atMs) * chance.between(1, 1.6);
  const latencyMs = waitMs + 1.2 + Math.exp(chance.between(0, 2.4)) * chance.between(0.4, 1.4);
  const call = Math.round(atMs * NS_PER_MS);
  const end = Math.round((atMs + latencyMs) * NS_PER_MS);
  const luck = chance.next() / (outage === undefined ? 1 : 40);
  const type = luck < 0.0025 ? 'info' : luck < 0.006 ? 'fail' : 'ok';
  const operation: Operation = {
    process,
    f,
    key,
    ...(f === 'put' && { value }),
    ...(f === 'cas' && { value: [from, value] }),
    call,
    return: type === 'info' ? null : end,
    type,
    output: null,
    ...(type !== 'ok' && { error: type === 'info' ? 'TIMEOUT' : 'NOT_LEADER' }),
    node: `n${1 + Math.floor(chance.next() * 5)}`,
  };
  const happens = type === 'ok' || (type === 'info' && chance.next() < 0.5);
  return { operation, pointNs: happens ? call + chance.next() * (end - call) : Infinity };
}

/** Changes the answer of a read so that no order explains it. */
function plantStaleRead(history: Operation[], fromMs: number): Violation {
  for (let i = history.findIndex(({ call }) => call >= fromMs * NS_PER_MS); ; i++) {
    const read = history[i]!;
    if (read.f !== 'get' || read.type !== 'ok' || read.output === null) continue;
    history[i] = { ...read, output: String((Number(read.output) + 1) % 5) };
    const part = history.filter(({ key }) => key === read.key);
    const verdict = register.check(part);
    if (verdict.type === 'illegal') {
      return {
        check: 'register',
        message: verdict.message,
        atMs: read.return! / NS_PER_MS,
        nodes: [read.node!],
        operations: verdict.operations.map((one) => history.indexOf(one)),
      };
    }
    history[i] = read;
  }
}
