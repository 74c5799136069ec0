/** watch: changes as they are committed, across changes of leader, until interrupted. */
import type { Command } from 'commander';
import type { WatchEvent } from '../../client/index.ts';
import { numberOption, withClient } from '../context.ts';
import { examples } from '../help.ts';
import { printJson, printLine, recordJson, valueForPeople, type Format } from '../output.ts';

function printEvent(format: Format, event: WatchEvent): void {
  if (format === 'json') {
    printJson({
      type: event.type,
      revision: event.revision,
      cause: event.cause,
      key: event.key,
      record: event.type === 'put' ? recordJson(event.record) : null,
      previous: event.previous === undefined ? null : recordJson(event.previous),
    });
    return;
  }
  const why = event.cause === 'request' ? '' : `\t(${event.cause})`;
  const value = event.type === 'put' ? `\t${valueForPeople(event.record.value)}` : '';
  printLine(`${event.revision}\t${event.type.toUpperCase()}\t${event.key}${value}${why}`);
}

export function addWatchCommand(program: Command): void {
  program
    .command('watch [prefix]')
    .description('print changes under a prefix as they are committed; Ctrl-C ends it')
    .option('--from <revision>', 'start at this revision instead of the next one')
    .option('--count <events>', 'end after so many events')
    .addHelpText(
      'after',
      `
A line has the revision, PUT or DELETE, the key, and what it was put to. To go on where a watch
ended, give the revision after the last one it printed; history keeps 10 minutes by default.
${examples('holdfast watch config/', 'holdfast watch config/ --from 120 -w json')}`,
    )
    .action(async (prefix: string | undefined, flags, command: Command) => {
      const from = flags.from === undefined ? {} : { from: numberOption('--from', flags.from) };
      const count = flags.count === undefined ? Infinity : numberOption('--count', flags.count);
      await withClient(command, async ({ client, options: { format } }) => {
        const interrupt = new AbortController();
        const stop = (): void => interrupt.abort();
        process.once('SIGINT', stop).once('SIGTERM', stop);
        const range = prefix === undefined ? {} : { prefix };
        const watch = client.registry.watch({ ...range, ...from, signal: interrupt.signal });
        let seen = 0;
        try {
          for await (const event of watch) {
            printEvent(format, event);
            if (++seen >= count) break;
          }
        } catch (error) {
          if (!interrupt.signal.aborted) throw error;
        } finally {
          process.off('SIGINT', stop).off('SIGTERM', stop);
          await watch.close();
        }
      });
    });
}
