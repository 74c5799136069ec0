/** txn, cas, compact. */
import type { Command } from 'commander';
import type { RegistryRecord } from '../../client/index.ts';
import { numberOption, withClient } from '../context.ts';
import { EXIT, ExitError, refused } from '../exit.ts';
import { examples } from '../help.ts';
import {
  inOneLine,
  printJson,
  printLine,
  recordJson,
  table,
  valueForPeople,
  type Format,
} from '../output.ts';
import { readStdin } from '../stdin.ts';
import type { OpOutcome, TypedOp } from '../txn-syntax.ts';

const TXN_HELP = `
Statements, one an argument or a line of stdin; a word with blanks stands in "quotes" (JSON):
  if version|create|mod|session KEY =|!=|<|> NUMBER     an absent key counts as 0
  if value KEY =|!=|<|> VALUE                           holds for no absent key
  if exists KEY          if absent KEY
  then OPERATION         else OPERATION
Operations:
  put KEY VALUE [TTL]    increment KEY [BY]    delete KEY    delete-prefix PREFIX
  get KEY                list [PREFIX]         count [PREFIX]
All in one revision, or nothing. Exit 0 when the then branch ran, 1 when the else branch did.

Examples:
  holdfast txn 'if value stock/7 = 3' 'then put stock/7 2' 'then increment sold' 'else get stock/7'
  holdfast txn -w json < release.txn`;

function addTxn(program: Command): void {
  program
    .command('txn [statements...]')
    .description('compare keys, and change several in one revision or not at all')
    .option('--session <id>', 'act as this session')
    .addHelpText('after', TXN_HELP)
    .action(async (given: string[], options: { session?: string }, command: Command) => {
      const statements = given.length > 0 ? given : (await readStdin()).toString().split('\n');
      const { parseTxn } = await import('../txn-syntax.ts');
      const script = parseTxn(statements);
      const session =
        options.session === undefined
          ? {}
          : { session: numberOption('--session', options.session) };
      await withClient(command, async ({ client, options: { format } }) => {
        const outcome = await client.registry
          .txn()
          .if(...script.comparisons)
          .then(...script.success.map(({ operation }) => operation))
          .else(...script.failure.map(({ operation }) => operation))
          .commit(session);
        const ran = outcome.succeeded ? script.success : script.failure;
        printOutcome(format, outcome, ran);
        if (!outcome.succeeded) throw new ExitError(EXIT.refused);
      });
    });
}

interface Outcome {
  readonly succeeded: boolean;
  readonly revision: number;
  readonly results: readonly OpOutcome[];
}

function printOutcome(format: Format, outcome: Outcome, ops: readonly TypedOp[]): void {
  const { succeeded, revision, results } = outcome;
  if (format === 'json') {
    printJson({ succeeded, revision, results: results.map(resultJson) });
    return;
  }
  const branch = succeeded ? 'then' : 'else';
  printLine(`${branch} ran at revision ${revision}`);
  const lines = results.map((result, i) => ({ words: ops[i]?.words ?? [], result }));
  if (format === 'simple') {
    for (const { words, result } of lines) printLine(resultText(words[0], result));
  } else {
    const rows = lines.map(({ words, result }) => [words.join(' '), resultText(words[0], result)]);
    printLine(table(['operation', 'result'], rows));
  }
}

function resultJson(result: OpOutcome): unknown {
  if (result === undefined || typeof result === 'number') return result ?? null;
  return 'records' in result ? result.records.map(recordJson) : recordJson(result);
}

function resultText(name: string | undefined, result: OpOutcome): string {
  if (result === undefined) return '-';
  if (typeof result === 'number') return String(result);
  if ('records' in result) return result.records.map(keyAndValue).join('\n');
  if (name === 'put') return `OK ${result.modRevision}`;
  return name === 'delete' ? 'OK' : valueForPeople(result.value);
}

function keyAndValue(record: RegistryRecord): string {
  return `${inOneLine(record.key)}\t${valueForPeople(record.value)}`;
}

function addCas(program: Command): void {
  program
    .command('cas <key> <old> <new>')
    .description('put the new value if the key has the old one; exit 1 when it has not')
    .addHelpText('after', examples('holdfast cas config/rate 100 200'))
    .action(async (key: string, old: string, value: string, _, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const { swapped, record } = await client.registry.compareAndSwap(key, old, value);
        if (!swapped || record === undefined) {
          const found = record === undefined ? 'is absent' : `is '${valueForPeople(record.value)}'`;
          throw refused('not-swapped', `'${key}' ${found}, not '${old}'`);
        }
        if (format === 'json') printJson(recordJson(record));
        else printLine(`OK ${record.modRevision}`);
      });
    });
}

function addCompact(program: Command): void {
  program
    .command('compact <revision>')
    .description('forget what only revisions before this one show')
    .addHelpText('after', examples('holdfast compact 1200'))
    .action(async (text: string, _, command: Command) => {
      const revision = numberOption('compact', text);
      await withClient(command, async ({ client, options: { format } }) => {
        await client.registry.compact(revision);
        if (format === 'json') printJson({ compactRevision: revision });
        else printLine('OK');
      });
    });
}

export function addTxnCommands(program: Command): void {
  addTxn(program);
  addCas(program);
  addCompact(program);
}
