/** session list, session open and session close. */
import type { Command } from 'commander';
import { durationOption, numberOption, withClient } from '../context.ts';
import { examples } from '../help.ts';
import { inOneLine, printJson, printLine, table } from '../output.ts';

interface OpenFlags {
  readonly ttl: string;
  readonly label?: string;
  readonly trapExits?: boolean;
}

export function addSessionCommands(program: Command): void {
  const session = program.command('session').description('look at sessions, or end one');

  session
    .command('list')
    .description('every open session: id, TTL, label')
    .addHelpText('after', examples('holdfast session list -w table'))
    .action(async (_flags: object, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const sessions = await client.registry.sessions();
        if (format === 'json') printJson(sessions);
        else if (format === 'table') {
          printLine(
            table(
              ['id', 'ttl ms', 'label', 'opened at', 'keys'],
              sessions.map((one) => [one.id, one.ttlMs, one.label, one.openedAt, one.keys]),
            ),
          );
        } else {
          for (const one of sessions)
            printLine(`${one.id}\t${one.ttlMs}ms\t${inOneLine(one.label)}`);
        }
      });
    });

  session
    .command('open')
    .description('open a session that ends by itself after its TTL, and print its id')
    .option('--ttl <duration>', 'when it ends: nobody renews it', '1m')
    .option('--label <text>', 'shown by `holdfast session list`')
    .option('--trap-exits', "be told of a linked entry's end instead of being closed by it")
    .addHelpText('after', examples('id=$(holdfast session open --ttl 10m --trap-exits)'))
    .action(async (flags: OpenFlags, command: Command) => {
      const { label, trapExits = false } = flags;
      const ttl = durationOption('--ttl', flags.ttl);
      await withClient(command, async ({ client, options: { format } }) => {
        const named = label === undefined ? {} : { label };
        const options = { ttl, trapExits, keepAlive: false, ...named };
        const { id, ttlMs } = await client.registry.openSession(options);
        if (format === 'json') printJson({ id, ttlMs });
        else printLine(String(id));
      });
    });

  session
    .command('close <id>')
    .description('end a session: its locks are released and its ephemeral keys removed')
    .addHelpText('after', examples('holdfast session close 7'))
    .action(async (id: string, _flags: object, command: Command) => {
      const wanted = numberOption('session id', id);
      await withClient(command, async ({ client, options: { format } }) => {
        await client.registry.closeSession(wanted);
        if (format === 'json') printJson({ id: wanted, closed: true });
        else printLine('OK');
      });
    });
}
