/** What a run has on the machine: processes and directories, none of which outlive it. */
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

const STOP_PATIENCE_MS = 5_000;
const children = new Set<ChildProcess>();
const directories = new Set<string>();
let parent = tmpdir();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const directory of directories) {
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
});

/** Where data are kept; the system's directory for temporary files by default. */
export function keepDataUnder(directory: string): void {
  parent = directory;
}

export function dataParent(): string {
  return parent;
}

/** Interrupted or told to end, everything is stopped and removed before this process is gone. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

/** Killed at the latest when this process ends. */
export function adopt<C extends ChildProcess>(child: C): C {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Asks a process to end and waits until it has; kills it when it takes long. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
  await gone;
  clearTimeout(timer);
}

export async function makeWorkspace(): Promise<string> {
  const directory = await mkdtemp(join(parent, 'holdfast-bench-'));
  directories.add(directory);
  return directory;
}

export async function removeWorkspace(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  directories.delete(directory);
}
