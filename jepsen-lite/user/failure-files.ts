/** What a run of a user's leaves in files: a failing one to be run again, and a report. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../../src/base/index.ts';
import { makeMissingDirectories } from '../../src/log-store/directory.ts';
import { writeReport } from '../report/report.ts';
import { parseReplay, ReplayFileError, type ReplayFile } from '../simulation/replay-file.ts';
import type { RunRecord } from '../simulation/run-record.ts';

export interface FailureFiles {
  /** The folder of failing runs. */
  readonly save?: string;
  readonly report?: string;
}

/**
 * Before anything is run.
 * @throws HoldfastError `invalid-argument` when a folder is not there and cannot be made
 */
export function prepareFolders({ save, report }: FailureFiles): void {
  if (save !== undefined) prepareFolder('save', save);
  if (report !== undefined) prepareFolder('report', dirname(report));
}

function prepareFolder(option: string, path: string): void {
  try {
    makeMissingDirectories(path);
  } catch (error) {
    throw invalid(`${option}: cannot make the folder '${path}'`, error);
  }
}

/** Gives the path of the file. */
export function saveReplay(replay: string, seed: number, { save }: FailureFiles): string {
  const folder = save ?? mkdtempSync(join(tmpdir(), 'jepsen-lite-'));
  const path = join(folder, `jepsen-lite-${seed}.json`);
  writeFileSync(path, replay);
  return path;
}

/**
 * A run that was saved.
 * @param replay its text, or the name of its file
 * @throws HoldfastError `invalid-argument` when it cannot be read, or breaks a rule
 */
export function readReplay(replay: string): ReplayFile {
  const isText = replay.trimStart().startsWith('{');
  try {
    return parseReplay(isText ? replay : readFileSync(replay, 'utf8'));
  } catch (error) {
    const isRefused = error instanceof ReplayFileError;
    throw invalid(isText ? 'replay' : `replay: ${isRefused ? replay : 'cannot read it'}`, error);
  }
}

export async function reportIfWanted(record: RunRecord, { report }: FailureFiles): Promise<void> {
  if (report !== undefined) await writeReport(record, report);
}

function invalid(what: string, error: unknown): HoldfastError {
  const why = error instanceof Error ? error.message : String(error);
  return new HoldfastError('invalid-argument', `${what}: ${why}`);
}
