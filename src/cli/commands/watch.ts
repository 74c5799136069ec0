/** watch: changes as they are committed, across changes of leader, until interrupted. */
import type { Command } from 'commander';
import type { Watch, WatchEvent, WatchOptions, WatchProgress } from '../../client/index.ts';
import { numberOption, withClient } from '../context.ts';
import { usageError } from '../exit.ts';
import { examples } from '../help.ts';
import {
  inOneLine,
  printJson,
  printLine,
  recordJson,
  valueForPeople,
  type Format,
} from '../output.ts';

type Item = WatchEvent | WatchProgress;

interface Flags {
  readonly from?: string;
  readonly range?: readonly string[];
  readonly events?: string;
  readonly previous?: boolean;
  readonly progress?: boolean;
  readonly count?: string;
}

function printItem(format: Format, item: Item): void {
  if (format === 'json') printJson(jsonOf(item));
  else printLine(lineOf(item));
}

function jsonOf(item: Item): Record<string, unknown> {
  if (item.type === 'progress') return { type: item.type, revision: item.revision };
  const { type, revision, cause, key, record, previous } = item;
  return {
    type,
    revision,
    cause,
    key,
    record: type === 'put' ? recordJson(record) : null,
    previous: previous === undefined ? null : recordJson(previous),
  };
}

function lineOf(item: Item): string {
  if (item.type === 'progress') return `${item.revision}\tPROGRESS`;
  const { type, revision, cause, key, record, previous } = item;
  const value = type === 'put' ? `\t${valueForPeople(record.value)}` : '';
  const was = previous === undefined ? '' : `\twas ${valueForPeople(previous.value)}`;
  const why = cause === 'request' ? '' : `\t(${cause})`;
  return `${revision}\t${type.toUpperCase()}\t${inOneLine(key)}${value}${was}${why}`;
}

function watchOptions(prefix: string | undefined, flags: Flags): WatchOptions {
  const { range, events } = flags;
  if (prefix !== undefined && range !== undefined) {
    throw usageError('watch takes a prefix or --range, not both');
  }
  if (range !== undefined && range.length > 2) {
    throw usageError('--range takes a first key and, if it shall end, the key to end before');
  }
  if (events !== undefined && events !== 'put' && events !== 'delete') {
    throw usageError(`--events takes put or delete, not '${events}'`);
  }
  const [start, end] = range ?? [];
  return {
    ...(prefix === undefined ? {} : { prefix }),
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(events === undefined ? {} : { events }),
    ...(flags.from === undefined ? {} : { from: numberOption('--from', flags.from) }),
    previous: flags.previous === true,
  };
}

/** Prints until `count` lines are out, or the watch is over. */
async function printItems(watch: Watch<Item>, format: Format, count: number): Promise<void> {
  let printed = 0;
  for await (const item of watch) {
    printItem(format, item);
    if (++printed >= count) break;
  }
}

export function addWatchCommand(program: Command): void {
  program
    .command('watch [prefix]')
    .description('print changes under a prefix as they are committed; Ctrl-C ends it')
    .option('--from <revision>', 'start at this revision instead of the next one')
    .option('--range <keys...>', 'from a first key on, to before a second one if given')
    .option('--events <type>', 'only put, or only delete')
    .option('--previous', 'show what keys were before, too')
    .option('--progress', 'also print up to which revision nothing is missing')
    .option('--count <lines>', 'end after so many events and marks')
    .addHelpText(
      'after',
      `
A line has the revision, PUT or DELETE, the key, and what it was put to. To go on where a watch
ended, give the revision after the last one it printed; history keeps 10 minutes by default. With
--progress a watch says where it begins, and every 10,000 revisions without an event how far it is.
${examples(
  'holdfast watch config/',
  'holdfast watch config/ --from 120 --progress -w json',
  'holdfast watch --range users/a users/n --events delete --previous',
)}`,
    )
    .action(async (prefix: string | undefined, flags: Flags, command: Command) => {
      const options = watchOptions(prefix, flags);
      const count = flags.count === undefined ? Infinity : numberOption('--count', flags.count);
      await withClient(command, async ({ client, options: { format } }) => {
        const interrupt = new AbortController();
        const stop = (): void => interrupt.abort();
        process.once('SIGINT', stop).once('SIGTERM', stop);
        const { signal } = interrupt;
        const { registry } = client;
        const marks = flags.progress === true;
        const watch: Watch<Item> = marks
          ? registry.watch({ ...options, signal, progress: true })
          : registry.watch({ ...options, signal, progress: false });
        try {
          if (marks) printItem(format, { type: 'progress', ...(await watch.started) });
          await printItems(watch, format, count);
        } catch (error) {
          if (!signal.aborted) throw error;
        } finally {
          process.off('SIGINT', stop).off('SIGTERM', stop);
          await watch.close();
        }
      });
    });
}
