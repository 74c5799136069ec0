/** Backups in files: written so that a file by that name is whole, and read with every check. */
import { createReadStream } from 'node:fs';
import { access, open, rename, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { HoldfastError, MalformedBytesError } from '../base/index.ts';
import { SnapshotImage, type SnapshotSummary } from '../registry/index.ts';
import { knownOptions } from './call-options.ts';
import { BackupDecoder, type BackupMetadata } from './backup-format.ts';

export interface SaveOptions {
  /** Replace a file of that name; without it the call is refused when there is one. */
  readonly force?: boolean;
  /** Told how many bytes were written so far. */
  readonly onProgress?: (bytes: number) => void;
}

/** A backup that was read through and found whole. */
export interface BackupReport extends BackupMetadata, SnapshotSummary {
  /** Size of the file. */
  readonly bytes: number;
}

/**
 * Writes a backup into a file. The bytes go into `FILE.part`, are synced and then take the name, so
 * that a save that is cut off leaves no file that looks whole. Resolves to the file's size.
 *
 * @throws HoldfastError `invalid-argument` when there is such a file or part and no `force`, or it
 * cannot be made; what the backup itself failed with; and the system's own errors while writing.
 * @example
 * await saveBackup(client.backup(), 'backups/monday.hfb');
 */
export async function saveBackup(
  backup: AsyncIterable<Uint8Array>,
  file: string,
  options: SaveOptions = {},
): Promise<number> {
  knownOptions('saveBackup', options);
  const { force = false, onProgress } = options;
  if (!force) await refuseExisting(file);
  const part = `${file}.part`;
  const bytes = await writePart(backup, part, force, onProgress);
  if (!force) await refuseExisting(file);
  await rename(part, file);
  await syncDirectoryOf(file);
  return bytes;
}

async function refuseExisting(file: string): Promise<void> {
  try {
    await access(file);
  } catch {
    return;
  }
  const text = `'${file}' exists already: give another name, or force to replace it`;
  throw new HoldfastError('invalid-argument', text);
}

async function writePart(
  backup: AsyncIterable<Uint8Array>,
  part: string,
  force: boolean,
  onProgress: SaveOptions['onProgress'],
): Promise<number> {
  const handle = await open(part, force ? 'w' : 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') {
      const why = `cannot write the backup '${part}': ${error.message}`;
      throw new HoldfastError('invalid-argument', why, { cause: error });
    }
    const text = `'${part}' is there: another save is under way, or one was cut off; remove it`;
    throw new HoldfastError('invalid-argument', text, { cause: error });
  });
  let bytes = 0;
  try {
    for await (const piece of backup) {
      await handle.writeFile(piece);
      bytes += piece.length;
      onProgress?.(bytes);
    }
    await handle.sync();
    await handle.close();
    return bytes;
  } catch (error) {
    await handle.close();
    await unlink(part);
    throw error;
  }
}

async function syncDirectoryOf(file: string): Promise<void> {
  const directory = await open(dirname(resolve(file)), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** A backup in memory, ready to become a seed. */
export interface LoadedBackup {
  readonly report: BackupReport;
  readonly image: SnapshotImage;
}

/** Reads all of a backup. @throws HoldfastError as `inspectBackup` */
export async function loadBackup(file: string): Promise<LoadedBackup> {
  const image = new SnapshotImage();
  const decoder = new BackupDecoder((chunk) => image.push(chunk));
  let bytes = 0;
  try {
    for await (const piece of createReadStream(file)) {
      decoder.push(piece as Uint8Array);
      bytes += (piece as Uint8Array).length;
    }
    const metadata = decoder.finish();
    const summary = image.finish();
    checkAgreement(metadata, summary);
    return { report: { ...metadata, ...summary, bytes }, image };
  } catch (error) {
    throw readError(file, error);
  }
}

/**
 * Reads a backup through, checks all of it, and says what it holds.
 *
 * @throws HoldfastError `corrupt-data` when it is damaged, cut off or no backup at all, with the
 * place; `wrong-version`; `invalid-argument` when the file cannot be read.
 */
export async function inspectBackup(file: string): Promise<BackupReport> {
  const { report } = await loadBackup(file);
  return report;
}

function checkAgreement(metadata: BackupMetadata, summary: SnapshotSummary): void {
  if (metadata.revision === summary.revision && metadata.time === summary.time) return;
  const text =
    `damaged backup: it says revision ${metadata.revision} at ${metadata.time}, its contents ` +
    `are revision ${summary.revision} at ${summary.time}`;
  throw new HoldfastError('corrupt-data', text);
}

function readError(file: string, error: unknown): HoldfastError {
  if (error instanceof HoldfastError) {
    return new HoldfastError(error.code, `'${file}': ${error.message}`, { cause: error });
  }
  const text = error instanceof Error ? error.message : String(error);
  const code = error instanceof MalformedBytesError ? 'corrupt-data' : 'invalid-argument';
  return new HoldfastError(code, `cannot read the backup '${file}': ${text}`, { cause: error });
}
