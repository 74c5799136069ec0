/** table: entries tied to the life of sessions by edges, and the notices of their ends. */
import type { Command } from 'commander';
import type {
  Connection,
  EdgeType,
  Registry,
  RegistryRecord,
  Table,
  TableDetails,
} from '../../client/index.ts';
import { numberOption, withClient } from '../context.ts';
import { refused, usageError } from '../exit.ts';
import { examples } from '../help.ts';
import {
  inOneLine,
  printJson,
  printLine,
  recordJson,
  recordTable,
  table as drawTable,
  valueForPeople,
  type Format,
} from '../output.ts';
import { readStdin } from '../stdin.ts';
import { printNotices } from './table-notices.ts';

const TYPES = 'link, forward_link, backward_link or monitor';

interface SessionFlag {
  readonly session?: string;
}

function sessionFlag({ session }: SessionFlag): { session?: number } {
  return session === undefined ? {} : { session: numberOption('--session', session) };
}

/** The command line opens no table by the way: a mistyped name is refused. */
function opened(registry: Registry, name: string): Promise<Table> {
  return registry.table(name, { create: false });
}

function printEntry(format: Format, record: RegistryRecord, simple: string): void {
  if (format === 'json') printJson(recordJson(record));
  else if (format === 'table') printLine(recordTable([record]));
  else printLine(simple);
}

function printConnection(format: Format, connection: Connection): void {
  const { keyBytes: _bytes, ...shown } = connection;
  if (format === 'json') printJson(shown);
  else printLine(String(connection.id));
}

function printTables(format: Format, tables: readonly TableDetails[]): void {
  if (format === 'json') {
    printJson(tables.map((one) => ({ ...one, session: one.session ?? null })));
  } else if (format === 'table') {
    const rows = tables.map((one) => [one.name, one.session, one.createRevision]);
    printLine(drawTable(['name', 'session', 'revision'], rows));
  } else {
    for (const { name, session, createRevision } of tables) {
      const linked = session === undefined ? '' : `\tsession=${session}`;
      printLine(`${inOneLine(name)}\trevision=${createRevision}${linked}`);
    }
  }
}

function addList(table: Command): void {
  table
    .command('list')
    .alias('ls')
    .description('every open table: name, the session it goes with, the revision that opened it')
    .addHelpText('after', examples('holdfast table list -w table'))
    .action(async (_flags: object, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        printTables(format, await client.registry.tables());
      });
    });
}

function addOpenAndDrop(table: Command): void {
  table
    .command('open <table>')
    .description('open a table, or find it open')
    .option('--session <id>', 'act for this session')
    .option('--link', 'the table goes with the session given by --session')
    .addHelpText('after', examples('holdfast table open workers'))
    .action(async (name: string, flags: SessionFlag & { link?: true }, command: Command) => {
      const link = flags.link === true;
      if (link && flags.session === undefined) {
        throw usageError('--link needs --session: the table goes with that session');
      }
      await withClient(command, async ({ client, options: { format } }) => {
        const { existed } = await client.registry.table(name, { ...sessionFlag(flags), link });
        if (format === 'json') printJson({ table: name, existed });
        else printLine(existed ? 'OK (it was open)' : 'OK');
      });
    });

  table
    .command('drop <table>')
    .description('take a table down with all its entries')
    .option('--session <id>', 'act for this session')
    .addHelpText('after', examples('holdfast table drop workers'))
    .action(async (name: string, flags: SessionFlag, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const handle = await opened(client.registry, name);
        await handle.drop(sessionFlag(flags));
        if (format === 'json') printJson({ table: name, dropped: true });
        else printLine('OK');
      });
    });
}

interface StoreFlags extends SessionFlag {
  readonly connect?: string;
  readonly peer?: string;
}

function connectFlag({ connect, peer }: StoreFlags): {
  connect?: { type: EdgeType; peer: number };
} {
  if (connect === undefined && peer === undefined) return {};
  if (connect === undefined || peer === undefined) {
    throw usageError('--connect and --peer go together: the type of the edge, and its session');
  }
  // What types there are is the client's to say.
  return { connect: { type: connect as EdgeType, peer: numberOption('--peer', peer) } };
}

function addStore(table: Command): void {
  table
    .command('store <table> <key> <value>')
    .description('put an entry where none is; exit 1 and print what is there otherwise')
    .option('--connect <type>', `connect it in the same step: ${TYPES}`)
    .option('--peer <id>', 'the session to connect it to')
    .option('--session <id>', 'act for this session')
    .addHelpText(
      'after',
      `
A value of "-" is read from stdin.
${examples('holdfast table store workers 7 10.0.0.7:80 --connect link --peer 12')}`,
    )
    .action(
      async (name: string, key: string, value: string, flags: StoreFlags, command: Command) => {
        const edge = connectFlag(flags);
        const bytes = value === '-' ? await readStdin() : value;
        await withClient(command, async ({ client, options: { format } }) => {
          const handle = await opened(client.registry, name);
          const outcome = await handle.store(key, bytes, { ...sessionFlag(flags), ...edge });
          if (!outcome.stored) {
            printEntry(format, outcome.current, valueForPeople(outcome.current.value));
            throw refused('exists', `table '${name}' has an entry '${key}' already`);
          }
          const { record, connection } = outcome;
          if (format !== 'json') {
            const id = connection === undefined ? '' : ` connection=${connection.id}`;
            printEntry(format, record, `OK ${record.modRevision}${id}`);
          } else printJson({ ...recordJson(record), connection: connection?.id ?? null });
        });
      },
    );
}

function addReads(table: Command): void {
  table
    .command('find <table> <key>')
    .description('print the value of an entry alone; exit 1 when there is none')
    .addHelpText('after', examples('address=$(holdfast table find workers 7)'))
    .action(async (name: string, key: string, _flags: object, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const handle = await opened(client.registry, name);
        const record = await handle.find(key);
        if (record === undefined) {
          throw refused('not-found', `table '${name}' has no entry '${key}'`);
        }
        if (format !== 'simple') return printEntry(format, record, '');
        process.stdout.write(Buffer.from(record.value));
        process.stdout.write('\n');
      });
    });

  table
    .command('entries <table> [prefix]')
    .description('print the entries in key order, as of one revision')
    .addHelpText('after', examples('holdfast table entries workers -w table'))
    .action(async (name: string, prefix: string | undefined, _flags: object, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const handle = await opened(client.registry, name);
        const records = await handle.toList(prefix === undefined ? {} : { prefix });
        if (format === 'json') printJson(records.map(recordJson));
        else if (format === 'table') printLine(recordTable(records));
        else {
          for (const { key, value } of records) {
            printLine(`${inOneLine(key)}\t${valueForPeople(value)}`);
          }
        }
      });
    });
}

function addErase(table: Command): void {
  table
    .command('erase <table> <key>')
    .description('take an entry away, if there is one; whoever has an edge to it is told')
    .option('--session <id>', 'act for this session: notices name it')
    .addHelpText('after', examples('holdfast table erase workers 7'))
    .action(async (name: string, key: string, flags: SessionFlag, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const handle = await opened(client.registry, name);
        await handle.erase(key, sessionFlag(flags));
        if (format === 'json') printJson({ table: name, key, erased: true });
        else printLine('OK');
      });
    });
}

function addEdges(table: Command): void {
  table
    .command('connect <table> <type> <peer> <key>')
    .description('make an edge between a session and an entry, and print its number')
    .addHelpText(
      'after',
      `
link: the session's end erases the entry, and the entry's end closes the session, or is told to one
that traps exits. forward_link: only the latter; backward_link: only the former. monitor: the
session is told of the entry's end, and nothing more. See \`holdfast table notices\`.
${examples('holdfast table connect workers monitor 12 7')}`,
    )
    .action(
      async (name: string, type: string, peer: string, key: string, _f: object, c: Command) => {
        const session = numberOption('peer', peer);
        await withClient(c, async ({ client, options: { format } }) => {
          const handle = await opened(client.registry, name);
          printConnection(format, await handle.connect(type as EdgeType, session, key));
        });
      },
    );

  table
    .command('disconnect <table> <peer> <key> [connection]')
    .description('end one edge of a session on an entry, or all of them; print which they were')
    .addHelpText(
      'after',
      examples(
        'holdfast table disconnect workers 12 7 345',
        'holdfast table disconnect workers 12 7',
      ),
    )
    .action(
      async (
        name: string,
        peer: string,
        key: string,
        connection: string | undefined,
        _flags: object,
        command: Command,
      ) => {
        const session = numberOption('peer', peer);
        const one = connection === undefined ? undefined : numberOption('connection', connection);
        await withClient(command, async ({ client, options: { format } }) => {
          const handle = await opened(client.registry, name);
          if (one !== undefined) await handle.disconnect({ id: one, peer: session, key });
          const ids = one === undefined ? await handle.disconnectAll(session, key) : [one];
          if (format === 'json') printJson({ disconnected: ids });
          else for (const id of ids) printLine(String(id));
        });
      },
    );
}

function addNotices(table: Command): void {
  table
    .command('notices')
    .description('print what a session is told of the ends of its edges; Ctrl-C ends it')
    .requiredOption('--session <id>', 'whose notices')
    .option('--count <notices>', 'end after so many')
    .addHelpText(
      'after',
      `
What is printed is acknowledged: the cluster forgets it. A line has the table, the key, exit or
down, why, and the number of the edge.
${examples('holdfast table notices --session 12', 'holdfast table notices --session 12 -w json')}`,
    )
    .action(async (flags: { session: string; count?: string }, command: Command) => {
      const session = numberOption('--session', flags.session);
      const count = flags.count === undefined ? Infinity : numberOption('--count', flags.count);
      await withClient(command, async ({ client, options: { format } }) => {
        await printNotices(client.registry, session, count, format);
      });
    });
}

export function addTableCommands(program: Command): void {
  const table = program
    .command('table')
    .description('tables whose entries are tied to the life of sessions');
  addList(table);
  addOpenAndDrop(table);
  addStore(table);
  addReads(table);
  addErase(table);
  addEdges(table);
  addNotices(table);
}
