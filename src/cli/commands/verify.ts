/** verify: whether every replica holds the same, and what to do about one that does not. */
import type { Command } from 'commander';
import { unreachable } from '../../base/index.ts';
import type {
  HoldfastClient,
  ReplicaDifference,
  Verification,
  VerifiedMember,
  VerifyOptions,
  VerifyProgress,
} from '../../client/index.ts';
import { durationOption, numberOption, withClient } from '../context.ts';
import { EXIT, ExitError, refused } from '../exit.ts';
import { examples } from '../help.ts';
import { inOneLine, printJson, printLine, table, type Format } from '../output.ts';
import { startProgress } from '../progress.ts';

interface VerifyFlags {
  readonly quick?: boolean;
  readonly quarantine?: boolean;
  readonly repair?: boolean;
  readonly wait: string;
  readonly show: string;
}

export function addVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('compare all replicas at one log index; names nodes and keys that differ')
    .option('--quick', 'compare hashes kept up to date by writes, without reading all data')
    .option('--quarantine', 'take nodes that differ from the majority out of use')
    .option('--repair', 'and have the leader fill them again, one after another; verify once more')
    .option('--wait <duration>', 'how long nodes may take to read and hash what they hold', '1m')
    .option('--show <count>', 'differing keys to name for each node', '100')
    .addHelpText(
      'after',
      `
Writes go on meanwhile. Who is right is what more than half of all voters hold, whoever leads;
without such a majority nobody is called wrong, and nothing is repaired. A node in quarantine
refuses clients, hands leadership over and keeps its data for you to look at, until it is
repaired or restarted.

Exit codes: 0 all are equal, perhaps after a repair; 1 some differ; 3 nothing differs, but some
node could not be compared.
${examples('holdfast verify', 'holdfast verify --quick -w json', 'holdfast verify --repair')}`,
    )
    .action(async (flags: VerifyFlags, command: Command) => {
      const options = {
        quick: flags.quick === true,
        timeout: durationOption('--wait', flags.wait),
        maxDifferences: numberOption('--show', flags.show),
      };
      await withClient(command, async ({ client, options: { format } }) => {
        await run(client, format, flags, options);
      });
    });
}

/** What was done, besides looking. */
interface Done {
  readonly quarantined: string[];
  readonly repaired: string[];
}

async function run(
  client: HoldfastClient,
  format: Format,
  flags: VerifyFlags,
  options: VerifyOptions,
): Promise<void> {
  const done: Done = { quarantined: [], repaired: [] };
  const found = await verifyWithProgress(client, options);
  if (format !== 'json') print(format, found);
  let last = found;
  let failure: unknown = undefined;
  try {
    last = await mend(client, format, flags, options, found, done);
  } catch (error) {
    failure = error;
  }
  if (format === 'json') {
    const before = last === found ? {} : { found: verificationJson(found) };
    printJson({ ...verificationJson(last), ...done, ...before });
  }
  if (failure !== undefined) throw failure;
  end(last);
}

/** Quarantines and repairs as asked; resolves to what holds then. */
async function mend(
  client: HoldfastClient,
  format: Format,
  flags: VerifyFlags,
  options: VerifyOptions,
  found: Verification,
  { quarantined, repaired }: Done,
): Promise<Verification> {
  const wanted = flags.quarantine === true || flags.repair === true;
  if (!found.diverged || !wanted) return found;
  if (!found.majority) {
    const why = 'no majority holds the same, so nobody can say which replica is right';
    throw refused('no-majority', `${why}: nothing was changed`);
  }
  const say = (line: string): void => {
    if (format !== 'json') printLine(line);
  };
  const wrong = found.members.filter(({ state }) => state === 'diverged').map(({ id }) => id);
  // All of them first: none of them must lead, and fill another.
  for (const id of wrong) {
    await client.quarantine(id);
    quarantined.push(id);
    say(`${id}: quarantined`);
  }
  if (flags.repair !== true) return found;
  for (const id of wrong) {
    await client.reinstall(id);
    repaired.push(id);
    say(`${id}: installed anew`);
  }
  const again = await verifyWithProgress(client, options);
  if (format !== 'json') print(format, again);
  return again;
}

async function verifyWithProgress(
  client: HoldfastClient,
  options: VerifyOptions,
): Promise<Verification> {
  const progress = startProgress();
  const result = await client.verify({
    ...options,
    onProgress: (step) => progress.update(() => progressLine(step)),
  });
  progress.clear();
  return result;
}

function progressLine({ step, ready, members }: VerifyProgress): string {
  switch (step) {
    case 'locking':
      return 'waiting for the lock of the hash trees';
    case 'hashing':
      return `${ready} of ${members} replicas are hashed`;
    case 'comparing':
      return 'looking for the keys that differ';
    default:
      return unreachable(step);
  }
}

function end({ diverged, majority, members }: Verification): void {
  if (diverged) {
    const names = members.filter(({ state }) => state === 'diverged').map(({ id }) => id);
    const against = majority ? 'the majority' : 'each other, and no majority holds the same';
    throw refused('diverged', `${names.join(', ')} differ from ${against}`);
  }
  const missing = members.filter(({ state }) => state !== 'equal');
  if (missing.length === 0) return;
  const named = missing.map(({ id, state }) => `${id} (${state})`).join(', ');
  throw new ExitError(EXIT.unknown, `nothing differs, but not compared: ${named}`, 'not-compared');
}

function differenceJson({ key, keyBytes, name, kind }: ReplicaDifference): Record<string, unknown> {
  const isText = Buffer.from(key).equals(keyBytes);
  return isText
    ? { key, name, kind }
    : { key: Buffer.from(keyBytes).toString('base64'), keyEncoding: 'base64', name, kind };
}

function verificationJson(verification: Verification): Record<string, unknown> {
  return {
    ...verification,
    members: verification.members.map((member) => ({
      ...member,
      root: member.root ?? null,
      revision: member.revision ?? null,
      differences: member.differences.map(differenceJson),
    })),
  };
}

function print(format: Format, verification: Verification): void {
  const { index, revision, keys, members, diverged } = verification;
  const counted = `${keys} records, the registry's own and sessions among them`;
  printLine(`compared at log index ${index}, revision ${revision}: ${counted}`);
  if (format === 'table') printTables(members);
  else for (const member of members) printMember(member);
  if (!diverged && members.every(({ state }) => state === 'equal')) {
    const alone = 'there is one replica: nothing to compare it with';
    printLine(members.length === 1 ? alone : `all ${members.length} replicas are equal`);
  }
}

function printTables(members: readonly VerifiedMember[]): void {
  const rows = members.map((one) => [one.id, one.state, one.root, one.differing, one.note]);
  printLine(table(['node', 'state', 'hash', 'differing keys', 'note'], rows));
  const differing = members.filter(({ differences }) => differences.length > 0);
  if (differing.length === 0) return;
  const keys = differing.flatMap(({ id, differences }) =>
    differences.map(({ kind, name }) => [id, kind, name]),
  );
  printLine(table(['node', 'kind', 'key'], keys));
}

function printMember({ id, state, differences, differing, more, note }: VerifiedMember): void {
  printLine([id, state, ...(note === '' ? [] : [note])].join('\t'));
  for (const { kind, name } of differences) printLine([id, kind, inOneLine(name)].join('\t'));
  if (more) printLine(`${id}\t... ${differing} keys in all`);
}
