/** Who writes down what a process does to its files: strace, or a library preloaded into it. */
import { spawnSync } from 'node:child_process';
import { unreachable } from '../../../src/base/index.ts';
import { DiskShim } from '../disk-shim/shim.ts';
import { NOT_UNDERSTOOD, TRACED } from './trace.ts';

export type RecorderKind = 'strace' | 'library';

const KINDS: readonly RecorderKind[] = ['strace', 'library'];

const LONGEST_STRING = 16 * 1024 * 1024;

/** What is recorded, and where to. */
export interface RecordingPlaces {
  /** All that is done to files below it. */
  readonly directory: string;
  /** And to this one. */
  readonly progressFile: string;
  /** Gets the record, as `parseTrace` reads it. */
  readonly traceFile: string;
}

/** How a process is begun so that it is recorded. */
export interface RecordedCommand {
  readonly command: string;
  readonly prefix: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Recorder {
  readonly kind: RecorderKind;
  /** @param program what runs */
  commandFor(program: string, places: RecordingPlaces): RecordedCommand;
}

/**
 * The one asked for, or strace, or where that does not work the library.
 *
 * @param home a directory to put things in
 * @throws Error that says what to install or to allow
 */
export function findRecorder(home: string, wanted?: RecorderKind): Recorder {
  const reasons: string[] = [];
  for (const kind of wanted === undefined ? KINDS : [wanted]) {
    const found = tryRecorder(kind, home);
    if (typeof found !== 'string') return found;
    reasons.push(found);
  }
  throw new Error(`nothing can record what a store does to its files: ${reasons.join('; ')}`);
}

function tryRecorder(kind: RecorderKind, home: string): Recorder | string {
  switch (kind) {
    case 'strace':
      return whyNoStrace() ?? { kind, commandFor: traced };
    case 'library': {
      const shim = DiskShim.build(home);
      if (typeof shim === 'string') return `${shim}: install one`;
      return { kind, commandFor: (program, places) => preloaded(shim, program, places) };
    }
    default:
      return unreachable(kind);
  }
}

function whyNoStrace(): string | undefined {
  const { error, status, stderr } = spawnSync(
    'strace',
    ['-o', '/dev/null', process.execPath, '--version'],
    { encoding: 'utf8' },
  );
  if (error !== undefined) return 'strace is not installed';
  if (status === 0) return undefined;
  const [said = ''] = stderr.trim().split('\n');
  return `strace may not trace here (${said}): a container needs the capability SYS_PTRACE`;
}

function traced(program: string, { traceFile }: RecordingPlaces): RecordedCommand {
  const calls = `trace=${[...TRACED, ...NOT_UNDERSTOOD].join(',')}`;
  const options = ['-f', '-y', '-xx', '-s', String(LONGEST_STRING), '-e', calls, '-o', traceFile];
  return { command: 'strace', prefix: [...options, program], environment: {} };
}

function preloaded(shim: DiskShim, program: string, places: RecordingPlaces): RecordedCommand {
  const { directory, progressFile, traceFile } = places;
  const settings = { directory, progressFile, journalFile: traceFile };
  return { command: program, prefix: [], environment: shim.environment(settings) };
}
