/** Files that options name to be written: refused before the work is done, not after it. */
import { accessSync, constants, existsSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { usageError } from '../../src/cli/exit.ts';
import { makeMissingDirectories } from '../../src/log-store/directory.ts';
import { writeReport } from '../report/report.ts';
import type { RunRecord } from '../simulation/run-record.ts';
import { fileError } from './options.ts';

/** Sees to it that the file can be written later; folders that it needs are made. */
export function prepareFile(option: string, path: string | undefined): void {
  if (path === undefined) return;
  if (path === '') throw usageError(`${option} takes the name of a file`);
  if (!existsSync(path)) {
    prepareDirectory(option, dirname(path));
    return;
  }
  if (statSync(path).isDirectory()) throw usageError(`${option}: '${path}' is a folder`);
  mustBeWritable(option, path);
}

/** Makes the folder unless it is there. */
export function prepareDirectory(option: string, path: string): void {
  try {
    makeMissingDirectories(path);
  } catch (error) {
    throw fileError(`make the folder of ${option},`, path, error);
  }
  try {
    // What may be written is known only when something was, for one who may do anything.
    rmdirSync(mkdtempSync(join(path, '.jepsen-lite-')));
  } catch (error) {
    throw fileError(`write ${option},`, path, error);
  }
}

function mustBeWritable(option: string, path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw fileError(`write ${option},`, path, error);
  }
}

/** @throws ExitError with what the system says */
export async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/** Writes the report of a run where `--report` says. */
export async function reportIfWanted(
  record: RunRecord | undefined,
  path: string | undefined,
): Promise<void> {
  if (record === undefined || path === undefined) return;
  try {
    await writeReport(record, path);
  } catch (error) {
    throw fileError('write the report', path, error);
  }
}
