/** status, member, transfer. */
import type { Command } from 'commander';
import type { EndpointStatus, HoldfastClient } from '../../client/index.ts';
import { clientTarget, withClient } from '../context.ts';
import { refused, usageError } from '../exit.ts';
import { examples } from '../help.ts';
import { printJson, printLine, table, type Format } from '../output.ts';

/** One row of `status -w json`; what an unreachable node cannot tell is null. */
function statusJson(endpoint: EndpointStatus): Record<string, unknown> {
  const { status } = endpoint;
  return {
    id: status?.id ?? null,
    endpoint: endpoint.endpoint,
    role: status?.role ?? 'unreachable',
    term: status?.term ?? null,
    leader: status === undefined || status.leader === '' ? null : status.leader,
    commitIndex: status?.commitIndex ?? null,
    appliedIndex: status?.appliedIndex ?? null,
    snapshotIndex: status?.snapshotIndex ?? null,
    lastIndex: status?.lastIndex ?? null,
    revision: status?.revision ?? null,
    store: status?.store ?? null,
    note: noteOf(endpoint),
  };
}

/** Why it cannot be reached, or what ails it; null when all is well. */
function noteOf({ status, error }: EndpointStatus): string | null {
  const note = status === undefined ? error : status.unhealthy;
  return note === undefined || note === '' ? null : note;
}

function statusTable(endpoints: readonly EndpointStatus[]): string {
  const header = ['id', 'endpoint', 'role', 'term', 'leader', 'commit', 'applied', 'snapshot'];
  const rows = endpoints.map(({ endpoint, status, error }) =>
    status === undefined
      ? [null, endpoint, 'unreachable', null, null, null, null, null, null, null, error]
      : [
          status.id,
          endpoint,
          status.role,
          status.term,
          status.leader === '' ? null : status.leader,
          status.commitIndex,
          status.appliedIndex,
          status.snapshotIndex,
          status.revision,
          status.store,
          status.unhealthy,
        ],
  );
  return table([...header, 'revision', 'store', 'note'], rows);
}

function addStatus(program: Command): void {
  program
    .command('status')
    .description('what each node of --endpoints says of itself; exit 1 when none knows a leader')
    .addHelpText(
      'after',
      `
Only the nodes of --endpoints are asked; \`holdfast member list\` tells of all there are.
${examples('holdfast status -w json')}`,
    )
    .action(async (_flags: object, command: Command) => {
      const { options, target } = await clientTarget(command);
      const { statusOf } = await import('../../client/index.ts');
      const statuses = await statusOf(target);
      if (options.format === 'json') printJson(statuses.map(statusJson));
      else printLine(statusTable(statuses));
      const reached = statuses.flatMap(({ status }) => (status === undefined ? [] : [status]));
      if (reached.length === 0) {
        const reasons = statuses.map(({ endpoint, error }) => `${endpoint}: ${error}`).join('; ');
        throw refused('connection-lost', `no endpoint answered: ${reasons}`);
      }
      if (reached.every(({ leader }) => leader === '')) {
        throw refused('no-leader', 'none of them knows a leader now');
      }
    });
}

function addMembers(program: Command): void {
  const member = program
    .command('member')
    .description('list, add, promote, demote or remove nodes');

  member
    .command('list')
    .description('voters and learners with their addresses')
    .addHelpText('after', examples('holdfast member list -w table'))
    .action(async (_flags: object, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const members = await client.members();
        if (format === 'json') printJson(members);
        else if (format === 'table') {
          const rows = members.map((one) => [one.id, one.address, one.role]);
          printLine(table(['id', 'address', 'role'], rows));
        } else for (const one of members) printLine(`${one.id}\t${one.address}\t${one.role}`);
      });
    });

  member
    .command('add <id=host:port>')
    .description('add a node; it becomes a voter by itself once it has caught up')
    .option('--learner', 'leave it a learner until `member promote`')
    .addHelpText(
      'after',
      examples(
        'holdfast serve --id d --listen 127.0.0.1:7403 --data data/d --join   # elsewhere',
        'holdfast member add d=127.0.0.1:7403',
      ),
    )
    .action(async (spec: string, flags: { learner?: boolean }, command: Command) => {
      const [id, address] = splitMember(spec);
      await change(command, { id, change: 'added' }, (client) =>
        client.addMember({ id, address, promote: flags.learner !== true }),
      );
    });

  const simple: readonly [string, string, (client: HoldfastClient, id: string) => Promise<void>][] =
    [
      ['promote', 'make a learner that has caught up a voter', (client, id) => client.promote(id)],
      ['demote', 'make a voter a learner', (client, id) => client.demote(id)],
      ['remove', 'remove a node from the cluster', (client, id) => client.removeMember(id)],
    ];
  for (const [name, description, call] of simple) {
    member
      .command(`${name} <id>`)
      .description(description)
      .addHelpText('after', examples(`holdfast member ${name} d`))
      .action(async (id: string, _flags: object, command: Command) => {
        await change(command, { id, change: `${name}d` }, (client) => call(client, id));
      });
  }
}

function splitMember(spec: string): [id: string, address: string] {
  const at = spec.indexOf('=');
  if (at <= 0 || at === spec.length - 1) {
    throw usageError(`'${spec}' is not id=host:port, for example d=127.0.0.1:7403`);
  }
  return [spec.slice(0, at), spec.slice(at + 1)];
}

function addTransfer(program: Command): void {
  program
    .command('transfer [node]')
    .description('hand leadership to a node, or to the best follower')
    .addHelpText('after', examples('holdfast transfer b', 'holdfast transfer'))
    .action(async (node: string | undefined, _flags: object, command: Command) => {
      await change(command, { id: node ?? null, change: 'transferred' }, (client) =>
        client.transfer(node),
      );
    });
}

async function change(
  command: Command,
  report: Record<string, unknown>,
  call: (client: HoldfastClient) => Promise<void>,
): Promise<void> {
  await withClient(command, async ({ client, options: { format } }) => {
    await call(client);
    printChange(format, report);
  });
}

function printChange(format: Format, report: Record<string, unknown>): void {
  if (format === 'json') printJson(report);
  else printLine('OK');
}

export function addClusterCommands(program: Command): void {
  addStatus(program);
  addMembers(program);
  addTransfer(program);
}
