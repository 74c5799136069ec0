/** put, get, delete, list, persist. */
import type { Command } from 'commander';
import type { RegistryRecord } from '../../client/index.ts';
import { durationOption, numberOption, withClient } from '../context.ts';
import { refused, usageError, type ExitError } from '../exit.ts';
import { examples } from '../help.ts';
import {
  inOneLine,
  printJson,
  printLine,
  recordJson,
  recordTable,
  valueForPeople,
  type Format,
} from '../output.ts';
import { readStdin } from '../stdin.ts';

interface SessionOption {
  readonly session?: string;
}

function sessionOption(options: SessionOption): { session?: number } {
  if (options.session === undefined) return {};
  return { session: numberOption('--session', options.session) };
}

function printRecord(format: Format, record: RegistryRecord, simple: string): void {
  if (format === 'json') printJson(recordJson(record));
  else if (format === 'table') printLine(recordTable([record]));
  else if (simple !== '') printLine(simple);
}

/** Nothing on stdout, so that `$(holdfast get key)` is empty; the reason goes to stderr. */
function notFound(key: string): ExitError {
  return refused('not-found', `there is no key '${key}'`);
}

const CONSISTENCIES = ['linearizable', 'lease', 'local'] as const;

function consistencyOption(text: string): (typeof CONSISTENCIES)[number] {
  const found = CONSISTENCIES.find((one) => one === text);
  if (found !== undefined) return found;
  throw usageError(`--consistency takes ${CONSISTENCIES.join(', ')}, not '${text}'`);
}

function addPut(program: Command): void {
  program
    .command('put <key> <value>')
    .description('store a value; "-" reads it from stdin')
    .option('--ttl <duration>', 'let the key expire, for example 10s or 5m')
    .option('--session <id>', 'act as this session, for example as the holder of the lock')
    .option('--ephemeral', 'let the key end with the session given by --session')
    .addHelpText(
      'after',
      examples('holdfast put config/rate 100 --ttl 10m', 'holdfast put config/tls - < tls.json'),
    )
    .action(async (key: string, value: string, options, command: Command) => {
      if (options.ephemeral === true && options.session === undefined) {
        throw usageError('--ephemeral needs --session: the key ends with that session');
      }
      const ttl = options.ttl === undefined ? {} : { ttl: durationOption('--ttl', options.ttl) };
      const bytes = value === '-' ? await readStdin() : value;
      await withClient(command, async ({ client, options: { format } }) => {
        const record = await client.registry.put(key, bytes, {
          ...ttl,
          ...sessionOption(options),
          ephemeral: options.ephemeral === true,
        });
        printRecord(format, record, `OK ${record.modRevision}`);
      });
    });
}

function addGet(program: Command): void {
  program
    .command('get <key>')
    .description('print the value alone; exit 1 when there is no such key')
    .option('--revision <number>', 'as it was at this revision')
    .option('--consistency <level>', CONSISTENCIES.join(', '), 'linearizable')
    .addHelpText(
      'after',
      `
linearizable sees everything acknowledged before it began; lease does too as long as clocks run at
about the same pace, and asks fewer nodes; local is what the asked node has, which may be old.
${examples('rate=$(holdfast get config/rate)', 'holdfast get config/rate -w json')}`,
    )
    .action(async (key: string, options, command: Command) => {
      const consistency = consistencyOption(options.consistency);
      const at =
        options.revision === undefined
          ? {}
          : { revision: numberOption('--revision', options.revision) };
      await withClient(command, async ({ client, options: { format } }) => {
        const record = await client.registry.get(key, { consistency, ...at });
        if (record === undefined) throw notFound(key);
        if (format === 'simple') process.stdout.write(Buffer.from(record.value));
        printRecord(format, record, '');
        if (format === 'simple') process.stdout.write('\n');
      });
    });
}

interface DeleteOptions extends SessionOption {
  readonly prefix?: boolean;
}

function addDelete(program: Command): void {
  program
    .command('delete <key>')
    .alias('del')
    .description('remove a key; exit 1 when there is no such key')
    .option('--session <id>', 'act as this session, for example as the holder of the lock')
    .option('--prefix', 'remove every key that begins so, in one revision, and print how many')
    .addHelpText(
      'after',
      examples('holdfast delete config/rate', 'holdfast delete config/ --prefix'),
    )
    .action(async (key: string, options: DeleteOptions, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        if (options.prefix === true) {
          const deleted = await client.registry.deletePrefix(key, sessionOption(options));
          if (format === 'json') printJson({ deleted });
          else printLine(String(deleted));
          return;
        }
        const record = await client.registry.delete(key, sessionOption(options));
        if (record === undefined) throw notFound(key);
        printRecord(format, record, 'OK');
      });
    });
}

function addPersist(program: Command): void {
  program
    .command('persist <key>')
    .description("take a key's TTL away; exit 1 when there is no such key")
    .option('--session <id>', 'act as this session, for example as the holder of the lock')
    .addHelpText('after', examples('holdfast persist config/rate'))
    .action(async (key: string, options: SessionOption, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const record = await client.registry.persist(key, sessionOption(options));
        if (record === undefined) throw notFound(key);
        printRecord(format, record, 'OK');
      });
    });
}

function addList(program: Command): void {
  program
    .command('list [prefix]')
    .alias('ls')
    .description('print keys and values under a prefix, in key order, as of one revision')
    .option('--limit <count>', 'at most so many')
    .option('--keys-only', 'without values')
    .option('--count', 'print only how many there are')
    .option('--consistency <level>', CONSISTENCIES.join(', '), 'linearizable')
    .addHelpText(
      'after',
      examples(
        'holdfast list config/ -w table',
        'holdfast list jobs/nightly/   # the queue of the lock jobs/nightly: a key a session',
      ),
    )
    .action(async (prefix: string | undefined, options, command: Command) => {
      const limit = options.limit === undefined ? Infinity : numberOption('--limit', options.limit);
      const consistency = consistencyOption(options.consistency);
      const keysOnly = options.keysOnly === true;
      await withClient(command, async ({ client, options: { format } }) => {
        const wanted = prefix === undefined ? {} : { prefix };
        if (options.count === true) {
          const count = await client.registry.count({ ...wanted, consistency });
          if (format === 'json') printJson({ count });
          else printLine(String(count));
          return;
        }
        const records = client.registry.records({ ...wanted, consistency, keysOnly });
        const output = listOutput(format, keysOnly);
        let count = 0;
        for await (const record of records) {
          if (++count > limit) break;
          output.add(record);
        }
        output.end();
      });
    });
}

interface ListOutput {
  add(record: RegistryRecord): void;
  end(): void;
}

/** JSON is one array, written as it comes; a table waits for its widths. */
function listOutput(format: Format, keysOnly: boolean): ListOutput {
  const held: RegistryRecord[] = [];
  let lead = '[';
  return {
    add: (record) => {
      if (format === 'table') held.push(record);
      else if (format === 'simple') {
        const key = inOneLine(record.key);
        printLine(keysOnly ? key : `${key}\t${valueForPeople(record.value)}`);
      } else {
        process.stdout.write(`${lead}${JSON.stringify(recordJson(record))}`);
        lead = ',\n ';
      }
    },
    end: () => {
      if (format === 'table') printLine(recordTable(held));
      else if (format === 'json') printLine(lead === '[' ? '[]' : ']');
    },
  };
}

export function addKeyCommands(program: Command): void {
  addPut(program);
  addGet(program);
  addDelete(program);
  addList(program);
  addPersist(program);
}
