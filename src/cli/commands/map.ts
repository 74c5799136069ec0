/** map: named maps as they are stored, without opening them. */
import type { Command } from 'commander';
import type { MapDetails, RegistryRecord } from '../../client/index.ts';
import { numberOption, withClient } from '../context.ts';
import { refused, usageError } from '../exit.ts';
import { examples } from '../help.ts';
import {
  inOneLine,
  printJson,
  printLine,
  recordJson,
  recordTable,
  table,
  valueForPeople,
  type Format,
} from '../output.ts';
import { readStdin } from '../stdin.ts';
import { addMapWatch } from './map-watch.ts';

interface SessionFlag {
  readonly session?: string;
}

function sessionFlag({ session }: SessionFlag): { session?: number } {
  return session === undefined ? {} : { session: numberOption('--session', session) };
}

function printEntries(format: Format, records: readonly RegistryRecord[]): void {
  if (format === 'json') printJson(records.map(recordJson));
  else if (format === 'table') printLine(recordTable(records));
  else
    for (const { key, value } of records) {
      printLine(`${inOneLine(key)}\t${valueForPeople(value)}`);
    }
}

function printMaps(format: Format, maps: readonly MapDetails[]): void {
  if (format === 'json') printJson(maps);
  else if (format === 'table') {
    const rows = maps.map((one) => [
      one.name,
      `${one.persist}`,
      `${one.prune}`,
      one.createRevision,
    ]);
    printLine(table(['name', 'persist', 'prune', 'created'], rows));
  } else {
    for (const { name, persist, prune, createRevision } of maps) {
      printLine(
        `${inOneLine(name)}\tpersist=${persist}\tprune=${prune}\trevision=${createRevision}`,
      );
    }
  }
}

function addListAndCreate(map: Command): void {
  map
    .command('list')
    .alias('ls')
    .description('every map: name, options, and the revision that created it')
    .addHelpText('after', examples('holdfast map list -w table'))
    .action(async (_flags: object, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        printMaps(format, await client.registry.maps());
      });
    });

  map
    .command('create <map>')
    .description('create a map that persists, or find it')
    .option('--prune', 'its entries go with the sessions that put them')
    .addHelpText(
      'after',
      `
Programs create the maps that they open. One that is not to persist lives only while a program has
it open, so it is not created here.
${examples('holdfast map create flags', 'holdfast map create workers --prune')}`,
    )
    .action(async (name: string, flags: { prune?: true }, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const options = { prune: flags.prune === true };
        const { createRevision } = await client.registry.map(name, options);
        if (format === 'json') printJson({ map: name, createRevision });
        else printLine(`OK ${createRevision}`);
      });
    });

  map
    .command('drop <map>')
    .description('remove a map with everything in it, whoever has it open')
    .addHelpText('after', examples('holdfast map drop flags'))
    .action(async (name: string, _flags: object, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        await client.registry.rawMap(name).drop();
        if (format === 'json') printJson({ map: name, dropped: true });
        else printLine('OK');
      });
    });
}

function addGetAndEntries(map: Command): void {
  map
    .command('get <map> <key>')
    .description('print the value alone; exit 1 when there is no such key')
    .addHelpText('after', examples('holdfast map get flags new-checkout'))
    .action(async (name: string, key: string, _flags: object, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const record = await client.registry.rawMap(name).get(key);
        if (record === undefined) {
          throw refused('not-found', `map '${name}' has no key '${key}'`);
        }
        if (format === 'json') printJson(recordJson(record));
        else if (format === 'table') printLine(recordTable([record]));
        else process.stdout.write(Buffer.concat([record.value, Buffer.from('\n')]));
      });
    });

  map
    .command('entries <map>')
    .description('print every key and value, in key order, as of one revision')
    .addHelpText('after', examples('holdfast map entries flags -w table'))
    .action(async (name: string, _flags: object, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const records: RegistryRecord[] = [];
        for await (const record of client.registry.rawMap(name).records()) records.push(record);
        printEntries(format, records);
      });
    });
}

/** Programs read JSON unless they were given a codec of their own. */
function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw usageError(
      `the value is not JSON (${why}); text stands in quotes: '"on"', or give --raw`,
    );
  }
}

interface PutFlags extends SessionFlag {
  readonly raw?: true;
}

function addPutAndRemove(map: Command): void {
  map
    .command('put <map> <key> <value>')
    .description('put a value, as JSON text; "-" reads it from stdin')
    .option('--raw', 'store the value as it is, JSON or not')
    .option('--session <id>', 'act for this session, as a map that prunes wants it')
    .addHelpText(
      'after',
      `
The schema is the programs': one that finds a value not to its schema does not serve it.
${examples(
  `holdfast map put flags new-checkout '{"enabled":true}'`,
  'holdfast map put flags banner - < banner.json',
)}`,
    )
    .action(async (name: string, key: string, given: string, flags: PutFlags, command: Command) => {
      const value = given === '-' ? await readStdin() : given;
      if (flags.raw !== true) checkJson(value.toString());
      await withClient(command, async ({ client, options: { format } }) => {
        const record = await client.registry.rawMap(name).put(key, value, sessionFlag(flags));
        if (format === 'json') printJson(recordJson(record));
        else if (format === 'table') printLine(recordTable([record]));
        else printLine(`OK ${record.modRevision}`);
      });
    });

  map
    .command('remove <map> <key>')
    .alias('delete')
    .description('remove a key; one that is not there is fine')
    .option('--session <id>', 'act for this session')
    .addHelpText('after', examples('holdfast map remove flags new-checkout'))
    .action(async (name: string, key: string, flags: SessionFlag, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const removed = await client.registry.rawMap(name).remove(key, sessionFlag(flags));
        if (format === 'json') printJson({ map: name, key, removed });
        else printLine(removed ? 'OK' : 'OK (it was not there)');
      });
    });
}

export function addMapCommands(program: Command): void {
  const map = program.command('map').description('named maps, and what programs keep in them');
  addListAndCreate(map);
  addGetAndEntries(map);
  addPutAndRemove(map);
  addMapWatch(map);
}
