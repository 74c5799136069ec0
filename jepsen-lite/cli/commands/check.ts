/** check: whether a history, whoever recorded it, keeps a promise. */
import type { Command } from 'commander';
import { unreachable } from '../../../src/base/index.ts';
import { durationOption } from '../../../src/cli/context.ts';
import { usageError } from '../../../src/cli/exit.ts';
import { counted } from '../../report/numbers.ts';
import { examples } from '../../../src/cli/help.ts';
import { printJson, printLine } from '../../../src/cli/output.ts';
import { checkers } from '../../checkers/index.ts';
import type { CheckOptions, Checker, Verdict } from '../../checkers/verdict.ts';
import { shapeFault } from '../../checkers/shapes.ts';
import { describeOperation } from '../../history/describe.ts';
import { HistoryError } from '../../history/format.ts';
import type { Operation } from '../../history/operation.ts';
import { readHistory } from '../../history/read.ts';
import type { Outcome } from '../../simulation/run-record.ts';
import { endWith } from '../exit.ts';
import { fileError, formatOf, oneOf } from '../options.ts';

const EXAMPLES = examples(
  'jepsen-lite check history.jsonl --model register',
  'jepsen-lite check history.jsonl --model lock -w json',
);

const DEFAULT_TIME_LIMIT = '1m';
const DEFAULT_MARGIN = '10s';

interface CheckFlags {
  readonly model: string;
  readonly timeLimit: string;
  readonly skew?: string;
  readonly drift?: string;
  readonly margin: string;
}

export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .description('check a recorded history against a model')
    .argument('<file>', 'the history: JSON lines, one operation a line')
    .requiredOption('--model <name>', `one of ${Object.keys(checkers).join(', ')}`)
    .option('--time-limit <duration>', 'how long to search before giving up', DEFAULT_TIME_LIMIT)
    .option('--skew <duration>', 'how far clocks may have been apart (nothing by default)')
    .option('--drift <share>', 'by what share clocks may have run apart, such as 0.01 (nothing)')
    .option(
      '--margin <duration>',
      'how much later than its TTL a dead lock may be free',
      DEFAULT_MARGIN,
    )
    .addHelpText(
      'after',
      `
An operation is one line, its times in nanoseconds on one monotonic clock:
  {"process":3,"f":"put","key":"k1","value":"7","call":1234567,"return":1239999,"type":"ok",
   "output":null}
type is ok, fail (certainly not applied) or info (unknown; then return is null, and the client goes
on under another process number). f is get, put, cas (its value is [from, to]), delete, lock, ...
A field "revision" tells where in the order of all writes an operation stands (a write: the one it
made, a read: the one it saw). That order is tried first, which takes seconds for a million lines.
What has none is searched for an order; exit code 3 says that the time limit came first.

Models:
${modelList()}
${EXAMPLES}`,
    )
    .action(async (file: string, flags: CheckFlags, command: Command) => {
      const format = formatOf(command);
      const checker = oneOf('--model', flags.model, checkers);
      const options = {
        timeLimitMs: durationOption('--time-limit', flags.timeLimit),
        ...(flags.skew !== undefined && { skewMs: durationOption('--skew', flags.skew) }),
        ...(flags.drift !== undefined && { driftShare: shareOption('--drift', flags.drift) }),
        marginMs: durationOption('--margin', flags.margin),
      };
      const replay = replayOf(file, flags);
      const request = { checker, options, replay, asJson: format === 'json' };
      endWith(checkHistory(await historyOf(file, checker), request));
    });
}

/** The same check once more. */
function replayOf(file: string, { model, timeLimit, skew, drift, margin }: CheckFlags): string {
  const path = /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", String.raw`'\''`)}'`;
  return [
    `npx jepsen-lite check ${path} --model ${model}`,
    ...(timeLimit === DEFAULT_TIME_LIMIT ? [] : [`--time-limit ${timeLimit}`]),
    ...(skew === undefined ? [] : [`--skew ${skew}`]),
    ...(drift === undefined ? [] : [`--drift ${drift}`]),
    ...(margin === DEFAULT_MARGIN ? [] : [`--margin ${margin}`]),
  ].join(' ');
}

function shareOption(name: string, text: string): number {
  const share = Number(text);
  if (text.trim() !== '' && share >= 0 && share < 1) return share;
  throw usageError(`${name} takes a number from 0 to below 1, not '${text}'`);
}

function modelList(): string {
  const all = Object.values(checkers);
  const width = Math.max(...all.map(({ name }) => name.length));
  return all.map(({ name, promise }) => `  ${name.padEnd(width)}  ${promise}`).join('\n');
}

async function historyOf(file: string, { name }: Checker): Promise<readonly Operation[]> {
  try {
    return await readHistory(file, (operation) => shapeFault(name, operation));
  } catch (error) {
    if (error instanceof HistoryError) throw usageError(`${file}: ${error.message}`);
    throw fileError('read the history', file, error);
  }
}

interface CheckRequest {
  readonly checker: Checker;
  readonly options: CheckOptions;
  readonly replay: string;
  readonly asJson: boolean;
}

function checkHistory(
  history: readonly Operation[],
  { checker, options, replay, asJson }: CheckRequest,
): Outcome {
  const begunAt = performance.now();
  const verdict = checker.check(history, options);
  const wallMs = Math.round(performance.now() - begunAt);
  if (asJson) {
    printJson({ model: checker.name, operations: history.length, wallMs, verdict, replay });
  } else {
    for (const line of linesOf(checker, history.length, verdict)) printLine(line);
    if (verdict.type === 'illegal') printLine(`Check again: ${replay}`);
  }
  return outcomeOfVerdict(verdict);
}

function outcomeOfVerdict({ type }: Verdict): Outcome {
  switch (type) {
    case 'ok':
      return 'passed';
    case 'illegal':
      return 'violation';
    case 'unknown':
      return 'unknown';
    default:
      return unreachable(type);
  }
}

const WAYS: Readonly<Record<string, string>> = {
  rules: 'no rule is broken',
  witness: 'the order that the history tells explains it',
  search: 'an order that explains it was found',
};

function linesOf(checker: Checker, operations: number, verdict: Verdict): readonly string[] {
  switch (verdict.type) {
    case 'ok': {
      const found = Object.entries(verdict.checked).filter(([, count]) => count > 0);
      const checked = found.map(([what, count]) => counted(count, what.replace(/s$/, ''), what));
      const counts = [counted(operations, 'line'), ...checked].join(', ');
      const how = verdict.how.split(', ').map((way) => WAYS[way] ?? way);
      return [`${checker.name}: ok, ${how.join('; ')} (${counts})`];
    }
    case 'illegal':
      return [
        `${checker.name}: violation: ${verdict.message}`,
        ...verdict.operations.map((operation) => `  ${describeOperation(operation)}`),
      ];
    case 'unknown':
      return [`${checker.name}: unknown: ${verdict.why}`];
    default:
      return unreachable(verdict);
  }
}
