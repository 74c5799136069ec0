/** map watch: a map's changes as they are committed, until interrupted. */
import type { Command } from 'commander';
import type { MapEvent } from '../../client/index.ts';
import { numberOption, withClient } from '../context.ts';
import { usageError } from '../exit.ts';
import { examples } from '../help.ts';
import {
  inOneLine,
  printJson,
  printLine,
  valueForPeople,
  valueText,
  type Format,
} from '../output.ts';
import { interruptible } from '../under-lock.ts';

interface WatchFlags {
  readonly initial?: true;
  readonly from?: string;
  readonly count?: string;
}

function valueJson(value: Uint8Array): object {
  const text = valueText(value);
  if (text !== undefined) return { value: text };
  return { value: Buffer.from(value).toString('base64'), valueEncoding: 'base64' };
}

function printEvent(format: Format, event: MapEvent<Uint8Array>): void {
  const { type, key, revision } = event;
  if (format === 'json') {
    printJson({ type, revision, key, ...(event.type === 'put' ? valueJson(event.value) : {}) });
    return;
  }
  const value = event.type === 'put' ? `\t${valueForPeople(event.value)}` : '';
  printLine(`${revision}\t${type.toUpperCase()}\t${inOneLine(key)}${value}`);
}

function whereToBegin(flags: WatchFlags): { from?: number; initial?: true } {
  if (flags.from === undefined) return flags.initial === true ? { initial: true } : {};
  if (flags.initial === true) {
    throw usageError(
      '--initial and --from exclude each other: --initial begins with what is there',
    );
  }
  return { from: numberOption('--from', flags.from) };
}

export function addMapWatch(map: Command): void {
  map
    .command('watch <map>')
    .description('print changes of a map as they are committed; ends with the map, or by Ctrl-C')
    .option('--initial', 'first what is there already, as of one revision')
    .option('--from <revision>', 'start at this revision instead of the next one')
    .option('--count <events>', 'end after so many events')
    .addHelpText(
      'after',
      examples('holdfast map watch flags --initial', 'holdfast map watch flags --from 120 -w json'),
    )
    .action(async (name: string, flags: WatchFlags, command: Command) => {
      const begin = whereToBegin(flags);
      const count = flags.count === undefined ? Infinity : numberOption('--count', flags.count);
      await withClient(command, async ({ client, options: { format } }) => {
        const stopping = interruptible('the end');
        const { signal } = stopping;
        try {
          await using events = client.registry.rawMap(name).subscribe({ ...begin, signal });
          let seen = 0;
          for await (const event of events) {
            printEvent(format, event);
            if (++seen >= count) break;
          }
        } finally {
          stopping.end();
        }
      });
    });
}
