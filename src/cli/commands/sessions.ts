/** session list and session close. */
import type { Command } from 'commander';
import { numberOption, withClient } from '../context.ts';
import { examples } from '../help.ts';
import { printJson, printLine, table } from '../output.ts';

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
          for (const one of sessions) printLine(`${one.id}\t${one.ttlMs}ms\t${one.label}`);
        }
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
        if (format === 'json') printJson({ session: wanted, closed: true });
        else printLine('OK');
      });
    });
}
