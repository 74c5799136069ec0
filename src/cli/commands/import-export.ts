/** import and export: many keys as lines. */
import { createReadStream } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import type { Registry } from '../../client/index.ts';
import { HoldfastError } from '../../base/index.ts';
import { durationOption, numberOption, withClient } from '../context.ts';
import { EXIT, ExitError, errorLine, exitCodeOf, usageError } from '../exit.ts';
import { examples } from '../help.ts';
import { jsonLine, parseLine, tsvLine, type ImportRecord } from '../import-lines.ts';
import { printJson, printLine } from '../output.ts';
import { startProgress, type Progress } from '../progress.ts';

interface ImportFlags {
  readonly prefix: string;
  readonly concurrency: string;
  readonly ttl?: string;
}

interface ImportTotals {
  acknowledged: number;
  failed: number;
  bad: number;
  firstError: unknown;
  /** The cluster cannot serve now: no use in going on. */
  stopped: boolean;
}

/** A put has waited its time for one of these to pass; all that follow would only do the same. */
const CLUSTER_AWAY: ReadonlySet<string> = new Set([
  'no-quorum',
  'no-leader',
  'connection-lost',
  'timeout',
]);

/** Places in the queues of locks: they mean nothing elsewhere, and nobody may put them. */
const LOCK_QUEUE_KEY = /\/[0-9a-f]{16}$/;

const EXPORT_FORMATS = ['jsonl', 'tsv'] as const;

function addImport(program: Command): void {
  program
    .command('import <file>')
    .description('put every line of a file ("-" for stdin): "key TAB value", or JSON objects')
    .option('--prefix <text>', 'put this before every key', '')
    .option('--concurrency <count>', 'puts in flight', '256')
    .option('--ttl <duration>', 'let the keys expire')
    .addHelpText(
      'after',
      `
Every put is retried over a change of leader and applied once. The last line tells how many were
acknowledged; the exit code is 0 only if all were.
${examples(
  "dpkg-query -W -f '${Package}\\t${Version}\\n' | holdfast import - --prefix packages/",
  `echo '{"key":"flags/new-ui","value":{"on":true}}' | holdfast import -`,
)}`,
    )
    .action(async (file: string, flags: ImportFlags, command: Command) => {
      const concurrency = numberOption('--concurrency', flags.concurrency);
      const ttl = flags.ttl === undefined ? {} : { ttl: durationOption('--ttl', flags.ttl) };
      const input = await openInput(file);
      await withClient(
        command,
        async ({ client, options: { format } }) => {
          const started = performance.now();
          const progress = startProgress();
          const put = (record: ImportRecord): Promise<unknown> =>
            client.registry.put(flags.prefix + record.key, record.value, ttl);
          const totals = await importLines(input, concurrency, put, progress, started);
          finishImport(totals, progress, started, format === 'json');
        },
        { exactlyOnce: true },
      );
    });
}

async function openInput(file: string): Promise<NodeJS.ReadableStream> {
  if (file === '-') return process.stdin;
  try {
    await access(file, constants.R_OK);
    if ((await stat(file)).isDirectory()) throw new Error('a directory');
  } catch {
    throw usageError(`cannot read '${file}': give a file that exists, or - for stdin`);
  }
  return createReadStream(file);
}

async function importLines(
  input: NodeJS.ReadableStream,
  concurrency: number,
  put: (record: ImportRecord) => Promise<unknown>,
  progress: Progress,
  started: number,
): Promise<ImportTotals> {
  const totals: ImportTotals = {
    acknowledged: 0,
    failed: 0,
    bad: 0,
    firstError: undefined,
    stopped: false,
  };
  const slots = createSlots(concurrency);
  let lineNumber = 0;
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    lineNumber++;
    const parsed = parseLine(line);
    if (parsed.type === 'blank') continue;
    if (parsed.type === 'bad') {
      totals.bad++;
      totals.firstError ??= usageError(`line ${lineNumber}: ${parsed.reason}`);
      continue;
    }
    await slots.take();
    if (totals.stopped) {
      slots.give();
      break;
    }
    void put(parsed.record)
      .then(
        () => void totals.acknowledged++,
        (error: unknown) => {
          totals.failed++;
          totals.firstError ??= error;
          totals.stopped ||= error instanceof HoldfastError && CLUSTER_AWAY.has(error.code);
        },
      )
      .finally(() => slots.give());
    progress.update(() => progressLine(totals, started));
  }
  await slots.allFree();
  return totals;
}

interface Slots {
  /** Resolves once a slot is the caller's. One caller at a time. */
  take(): Promise<void>;
  give(): void;
  allFree(): Promise<void>;
}

function createSlots(count: number): Slots {
  let free = count;
  let wake: (() => void) | undefined;
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    take: async () => {
      await until(() => free > 0);
      free--;
    },
    give: () => {
      free++;
      wake?.();
    },
    allFree: () => until(() => free === count),
  };
}

function progressLine(totals: ImportTotals, started: number): string {
  const seconds = (performance.now() - started) / 1000;
  const rate = Math.round(totals.acknowledged / Math.max(seconds, 0.001));
  const lost = totals.failed + totals.bad;
  const failures = lost === 0 ? '' : `, ${lost} not imported`;
  return `${totals.acknowledged} acknowledged in ${seconds.toFixed(1)} s (${rate}/s)${failures}`;
}

function finishImport(
  totals: ImportTotals,
  progress: Progress,
  started: number,
  json: boolean,
): void {
  progress.end(progressLine(totals, started));
  if (json) {
    const { acknowledged, failed, bad } = totals;
    printJson({ acknowledged, failed, bad, ms: Math.round(performance.now() - started) });
  }
  if (totals.firstError === undefined) return;
  const code = totals.failed === 0 ? EXIT.usage : exitCodeOf(totals.firstError);
  const extent = totals.stopped
    ? 'the import stopped: run it again'
    : 'not everything was imported';
  throw new ExitError(code, `${extent}; first: ${errorLine(totals.firstError)}`);
}

async function writeExport(
  registry: Registry,
  prefix: string,
  format: (typeof EXPORT_FORMATS)[number],
): Promise<number> {
  let count = 0;
  const range = prefix === '' ? {} : { prefix };
  for await (const record of registry.records(range)) {
    if (LOCK_QUEUE_KEY.test(record.key)) continue;
    const line =
      format === 'jsonl' ? jsonLine(record.key, record.value) : tsvLine(record.key, record.value);
    if (line === undefined) {
      throw usageError(`'${record.key}' does not fit in a TSV line: export with --format jsonl`);
    }
    printLine(line);
    count++;
  }
  return count;
}

function addExport(program: Command): void {
  program
    .command('export [prefix]')
    .description('print every key as a line that `import` reads back, as of one revision')
    .option('--format <format>', EXPORT_FORMATS.join(' or '), 'jsonl')
    .addHelpText(
      'after',
      `
Keys and values only: TTLs, sessions and locks are not exported.
${examples('holdfast export config/ > config.jsonl')}`,
    )
    .action(async (prefix: string | undefined, flags: { format: string }, command: Command) => {
      const format = EXPORT_FORMATS.find((one) => one === flags.format);
      if (format === undefined) {
        throw usageError(`--format takes ${EXPORT_FORMATS.join(' or ')}, not '${flags.format}'`);
      }
      await withClient(command, async ({ client }) => {
        const count = await writeExport(client.registry, prefix ?? '', format);
        if (process.stderr.isTTY) process.stderr.write(`${count} keys\n`);
      });
    });
}

export function addImportExportCommands(program: Command): void {
  addImport(program);
  addExport(program);
}
