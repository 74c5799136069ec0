/** A run in a file: all that decides it, and what came of it. Plain JSON, to be read and edited. */
import { z } from 'zod';
import { plainRules } from '../../src/protocol/index.ts';
import type { Fault } from '../faults/fault.ts';
import type { Configuration } from './configuration.ts';
import { absentName } from './replay-names.ts';
import type { Schedule } from './run.ts';
import type { WholeSchedule } from './shrink.ts';

const VERSION = 1;

/** What the run came to when it was saved, to compare. */
export interface ReplayFound {
  readonly check: string;
  readonly message: string;
  readonly traceHash: string | null;
}

export interface ReplayFile extends WholeSchedule {
  readonly version: typeof VERSION;
  /** Absent of a run that passed. */
  readonly found?: ReplayFound | undefined;
}

/** A file that is not what a replay file is: the first rule that it breaks. */
export class ReplayFileError extends Error {
  constructor(rule: string) {
    super(rule);
    this.name = 'ReplayFileError';
  }
}

const ms = z.number().min(0);
const share = z.number().min(0).max(1);
const timed = { atMs: ms, forMs: ms };
const onNode = { ...timed, node: z.string() };

const diskTrouble = z.discriminatedUnion('type', [
  z.object({ type: z.literal('slow'), latencyMs: ms }),
  z.object({ type: z.literal('stuck') }),
  z.object({ type: z.literal('error'), written: z.boolean() }),
  z.object({ type: z.literal('full') }),
]);

const fault: z.ZodType<Fault> = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('partition'),
    ...timed,
    shape: z.enum(['one', 'halves', 'majorityRing', 'bridge', 'oneWay', 'leader']),
    links: z.array(z.tuple([z.string(), z.string()])),
    flapMs: ms,
  }),
  z.object({
    type: z.literal('weather'),
    ...timed,
    loss: share,
    duplicate: share,
    delayMs: ms,
    corrupt: share,
  }),
  z.object({
    type: z.literal('slowLink'),
    ...timed,
    from: z.string(),
    to: z.string(),
    delayMs: ms,
  }),
  z.object({ type: z.literal('crash'), ...onNode, whilePending: z.boolean(), power: z.boolean() }),
  z.object({ type: z.literal('powerLoss'), ...timed }),
  z.object({ type: z.literal('pause'), ...onNode }),
  z.object({ type: z.literal('clientPause'), ...timed, client: z.int().min(0) }),
  z.object({
    type: z.literal('clientCut'),
    ...timed,
    client: z.int().min(0),
    how: z.enum(['reset', 'frame', 'corrupt', 'silence']),
  }),
  z.object({ type: z.literal('clockRate'), ...onNode, rate: z.number().positive() }),
  z.object({ type: z.literal('clockJump'), ...onNode, byMs: ms }),
  z.object({ type: z.literal('disk'), ...onNode, how: diskTrouble }),
  z.object({
    type: z.literal('damage'),
    ...onNode,
    how: z.enum(['bitFlip', 'misdirected']),
    where: share,
  }),
  z.object({ type: z.literal('wipe'), ...onNode }),
  z.object({ type: z.literal('oldDisk'), ...onNode }),
  z.object({
    type: z.literal('membership'),
    ...onNode,
    how: z.enum(['demote', 'remove', 'join']),
  }),
  z.object({ type: z.literal('transfer'), ...timed, to: z.string() }),
]);

const latencies = { minLatencyMs: ms, maxLatencyMs: ms };

const drawnFields = z.looseObject({
  workload: z.string(),
  nodes: z.int().min(1).max(9),
  clients: z.int().min(0).max(100),
  pinnedClients: z.array(z.boolean()),
  faultsMs: ms,
  settings: z.record(z.string(), z.union([z.number(), z.boolean()])),
  limits: z.record(z.string(), z.number()),
  client: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  network: z.object(latencies),
  disks: z.array(z.object({ ...latencies, isSynchronous: z.boolean() })),
  pace: z.number().positive(),
  clockRates: z.array(z.number().positive()),
});

/** Whoever edits how many nodes there are has to say what each is like. */
const configuration: z.ZodType<Configuration> = drawnFields.superRefine((drawn, context) => {
  for (const list of ['disks', 'clockRates'] as const) {
    const count = drawn[list].length;
    if (count >= drawn.nodes) continue;
    const message = `${drawn.nodes} nodes need as many, not ${count}`;
    context.addIssue({ code: 'custom', path: [list], message });
  }
});

const fileFields = z.looseObject({
  version: z.literal(VERSION),
  seed: z.int(),
  configuration,
  faults: z.array(fault),
  operations: z.array(z.object({ client: z.int().min(0), number: z.int().min(0), atMs: ms })),
  found: z
    .object({ check: z.string(), message: z.string(), traceHash: z.string().nullable() })
    .optional(),
});

const replayFile: z.ZodType<ReplayFile> = fileFields.superRefine((file, context) => {
  const absent = absentName(file);
  if (absent === undefined) return;
  context.addIssue({ code: 'custom', path: [...absent.path], message: absent.rule });
});

/** @throws ReplayFileError naming the place and the rule */
export function parseReplay(text: string): ReplayFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ReplayFileError(`not JSON: ${error instanceof Error ? error.message : ''}`);
  }
  refuseOtherVersion(json);
  const parsed = replayFile.safeParse(json, plainRules);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.join('.') ?? '';
  throw new ReplayFileError(`${place === '' ? '' : `${place}: `}${issue?.message ?? 'no replay'}`);
}

/** What another version means is not guessed from this one's rules. */
function refuseOtherVersion(json: unknown): void {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new ReplayFileError('not a run: an object is expected');
  }
  if (!('version' in json)) throw new ReplayFileError('not a run: it has no "version"');
  const { version } = json;
  if (version === VERSION) return;
  const other = JSON.stringify(version);
  throw new ReplayFileError(`version: it is ${other}, and this jepsen-lite reads ${VERSION} only`);
}

/** Faults and operations stand one a line: they are what people leave out by hand. */
export function formatReplay(schedule: Schedule, found?: ReplayFound): string {
  const { seed, configuration: drawn, faults = [], operations = [] } = schedule;
  const parts = [
    `"version": ${VERSION}`,
    ...(found === undefined ? [] : [`"found": ${JSON.stringify(found)}`]),
    `"seed": ${seed}`,
    `"configuration": ${JSON.stringify(drawn)}`,
    `"faults": ${listText(faults)}`,
    `"operations": ${listText(operations)}`,
  ];
  return `{\n  ${parts.join(',\n  ')}\n}\n`;
}

function listText(list: readonly unknown[]): string {
  if (list.length === 0) return '[]';
  return `[\n${list.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]`;
}
