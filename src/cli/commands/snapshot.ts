/** snapshot: backups saved, looked at, and restored as the beginning of a new cluster. */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { HoldfastError } from '../../base/index.ts';
import type { BackupReport, RestoredBackup } from '../../index.ts';
import { syncDirectory } from '../../log-store/directory.ts';
import { globalFormat, numberOption, withClient } from '../context.ts';
import { usageError } from '../exit.ts';
import { examples } from '../help.ts';
import { printJson, printLine, table } from '../output.ts';
import { parsePeers } from '../peers.ts';
import { startProgress } from '../progress.ts';
import { createStore, parseStoreKind, type StoreKind } from '../store-choice.ts';

const MIB = 1_048_576;

interface SaveFlags {
  readonly force?: boolean;
  readonly local?: boolean;
}

interface RestoreFlags {
  readonly id: string;
  readonly peers: string;
  readonly data: string;
  readonly store: string;
  readonly bumpRevision?: string;
  readonly cluster?: string;
}

function addSave(snapshot: Command): void {
  snapshot
    .command('save <file>')
    .description('write a backup of the whole registry into a file')
    .option('--force', 'replace the file if there is one')
    .option('--local', "a node's state as it is, also without a quorum")
    .addHelpText(
      'after',
      `
Taken from the first of --endpoints that answers, and it holds everything acknowledged before. The
file gets its name when it is whole; until then it is called FILE.part.
${examples('holdfast snapshot save monday.hfb --endpoints 10.0.0.2:7400')}`,
    )
    .action(async (file: string, flags: SaveFlags, command: Command) => {
      await withClient(command, async ({ client, options: { format } }) => {
        const bytes = await saveInterruptibly(file, flags, (signal) =>
          client.backup({ signal, consistency: flags.local === true ? 'local' : 'linearizable' }),
        );
        if (format === 'json') printJson({ file, bytes });
        else printLine(`${file}: ${bytes} bytes`);
      });
    });
}

/** Asked to stop, it removes what it has written, and exits as a process that was. */
async function saveInterruptibly(
  file: string,
  { force = false }: SaveFlags,
  backup: (signal: AbortSignal) => AsyncIterable<Uint8Array>,
): Promise<number> {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const progress = startProgress();
  const started = performance.now();
  const line = (bytes: number): string => {
    const seconds = (performance.now() - started) / 1000;
    return `${(bytes / MIB).toFixed(1)} MiB in ${seconds.toFixed(1)} s`;
  };
  let written = 0;
  try {
    const onProgress = (bytes: number): void => {
      written = bytes;
      progress.update(() => line(bytes));
    };
    const { saveBackup } = await import('../../client/index.ts');
    return await saveBackup(backup(abort.signal), file, { force, onProgress });
  } finally {
    if (written > 0) progress.end(line(written));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  }
}

function addStatus(snapshot: Command): void {
  snapshot
    .command('status <file>')
    .description('check a backup and tell what it holds')
    .addHelpText(
      'after',
      `
Reads all of it: the checksums of its parts, the SHA-256 over everything, and the state itself. A
damaged file is named with the place, and the exit code is 1.
${examples('holdfast snapshot status monday.hfb -w table')}`,
    )
    .action(async (file: string, _flags: object, command: Command) => {
      const format = globalFormat(command);
      const { inspectBackup } = await import('../../client/index.ts');
      const report = await inspectBackup(file);
      if (format === 'json') printJson(reportJson(report));
      else if (format === 'table') printLine(table(['field', 'value'], reportRows(report)));
      else for (const [name, value] of reportRows(report)) printLine(`${name}: ${value}`);
    });
}

function reportJson(report: BackupReport): Record<string, string | number> {
  return { ...report, savedAt: new Date(report.savedAt).toISOString() };
}

function reportRows(report: BackupReport): [string, string | number][] {
  return [
    ['cluster', `${report.clusterName} (${report.clusterId})`],
    ['node', report.node],
    ['saved at', new Date(report.savedAt).toISOString()],
    ['revision', report.revision],
    ['oldest revision', report.compactRevision],
    ['log index', report.index],
    ['cluster time', `${report.time} ms`],
    ['keys', report.keys],
    ['sessions', report.sessions],
    ['bytes', report.bytes],
  ];
}

function addRestore(snapshot: Command): void {
  snapshot
    .command('restore <file>')
    .description("make a backup the beginning of a new cluster, in one node's data directory")
    .requiredOption('--id <id>', 'the node that will run there')
    .requiredOption('--peers <list>', 'every node of the new cluster: a=host:port,b=host:port,...')
    .requiredOption('--data <directory>', "the node's data directory: absent or empty")
    .option('--store <kind>', 'sqlite or level', 'sqlite')
    .option('--bump-revision <count>', 'raise revisions and tokens by this (default: 1000000000)')
    .option('--cluster <name>', "name of the new cluster (default: the old one's); see serve")
    .addHelpText(
      'after',
      `
Once for every node, with the same file and options; then start them all with the same --peers. The
new cluster has an id of its own, so no node of the old one can talk to it. Keys come back, with as
long to live as at the time of the backup. Sessions do not: locks, their queues and ephemeral keys
are gone.

Revisions and fencing tokens are raised far above what the old cluster can have given out after the
backup, so that none is ever given out twice.
${examples(
  'P=a=10.0.0.1:7400,b=10.0.0.2:7400,c=10.0.0.3:7400',
  'holdfast snapshot restore monday.hfb --id a --peers $P --data data/a',
  'holdfast serve --id a --listen 10.0.0.1:7400 --peers $P --data data/a',
)}`,
    )
    .configureHelp({ showGlobalOptions: false })
    .action(async (file: string, flags: RestoreFlags, command: Command) => {
      const format = globalFormat(command);
      const restored = await restoreInto(file, flags);
      if (format === 'json') printJson({ ...restored, data: flags.data });
      else printLine(restoredLine(restored, flags));
    });
}

function restoredLine(restored: RestoredBackup, flags: RestoreFlags): string {
  const { clusterName, keys, revision, digest, endedSessions } = restored;
  return (
    `${flags.data}: ${keys} keys at revision ${revision} for cluster '${clusterName}' ` +
    `(${digest.slice(0, 16)}); sessions ended: ${endedSessions}`
  );
}

/**
 * Restores beside the data directory and gives it the name at the end: a restore that is killed
 * leaves a directory that nobody starts from.
 */
async function restoreInto(file: string, flags: RestoreFlags): Promise<RestoredBackup> {
  const kind = parseStoreKind(flags.store);
  if (kind === 'memory') throw usageError('--store memory keeps nothing: take sqlite or level');
  const peers = parsePeers(flags.peers);
  const data = resolve(flags.data);
  refuseUsed(data, flags.data);
  const aside = `${data}.restoring-${randomUUID().slice(0, 8)}`;
  try {
    const restored = await restoreAside(file, flags, peers, kind, aside);
    refuseUsed(data, flags.data);
    if (existsSync(data)) await rmdir(data);
    await rename(aside, data);
    syncDirectory(dirname(data));
    return restored;
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}

async function restoreAside(
  file: string,
  flags: RestoreFlags,
  peers: Record<string, string>,
  kind: StoreKind,
  aside: string,
): Promise<RestoredBackup> {
  const { id, cluster, bumpRevision } = flags;
  const { restoreBackup } = await import('../../index.ts');
  return await restoreBackup({
    file,
    store: await createStore(kind, aside),
    id,
    peers,
    ...(cluster === undefined ? {} : { clusterName: cluster }),
    ...(bumpRevision === undefined
      ? {}
      : { bumpRevision: numberOption('--bump-revision', bumpRevision) }),
  });
}

function refuseUsed(data: string, shown: string): void {
  if (!existsSync(data)) return;
  let entries: readonly string[];
  try {
    entries = readdirSync(data);
  } catch {
    entries = [basename(data)];
  }
  if (entries.length === 0) return;
  const text = `'${shown}' is not an empty directory: a restore begins a new one, give another`;
  throw new HoldfastError('data-directory', text);
}

export function addSnapshotCommands(program: Command): void {
  const snapshot = program.command('snapshot').description('back up and restore the registry');
  addSave(snapshot);
  addStatus(snapshot);
  addRestore(snapshot);
}
