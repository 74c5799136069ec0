/** Compiles the library that stands between a process and its disk; see `source.ts`. */
import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unreachable } from '../../../src/base/index.ts';
import type { DiskFault } from '../../faults/fault.ts';
import { SOURCE } from './source.ts';

const COMPILERS: readonly (readonly string[])[] = [['cc'], ['gcc'], ['clang']];

export interface ShimSettings {
  /** Files below it are stood before. */
  readonly directory: string;
  /** While it exists the disk is in trouble; see `setTrouble`. */
  readonly troubleFile?: string;
  /** Gets a line for whatever changes files. */
  readonly journalFile?: string;
  /** A file elsewhere whose changes are in the journal too. */
  readonly progressFile?: string;
}

export class DiskShim {
  readonly #library: string;

  private constructor(library: string) {
    this.#library = library;
  }

  /**
   * Puts the library into `home`. Says in a sentence why there is none, where nothing compiles it
   * or a process does not take it.
   */
  static build(home: string): DiskShim | string {
    if (process.platform !== 'linux') return 'a library between a process and its disk needs Linux';
    const source = join(home, 'disk-shim.c');
    const library = join(home, 'disk-shim.so');
    writeFileSync(source, SOURCE);
    const flags = ['-O1', '-shared', '-fPIC', '-o', library, source, '-ldl', '-lpthread'];
    const isCompiled = COMPILERS.some(([command, ...options]) => {
      return runs(command!, [...options, ...flags]);
    });
    if (!isCompiled) return 'no C compiler works here (cc, gcc or clang)';
    return new DiskShim(library);
  }

  /** What a process needs in its environment. */
  environment(settings: ShimSettings): Record<string, string> {
    const { directory, troubleFile = '', journalFile = '', progressFile = '' } = settings;
    return {
      LD_PRELOAD: this.#library,
      HOLDFAST_DISK_DIRECTORY: directory,
      HOLDFAST_DISK_TROUBLE: troubleFile,
      HOLDFAST_DISK_JOURNAL: journalFile,
      HOLDFAST_DISK_PROGRESS: progressFile,
    };
  }
}

function runs(command: string, options: readonly string[]): boolean {
  try {
    execFileSync(command, options, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** As a fault has it, or: nothing that syncs returns, while writes reach the system's cache. */
export type Trouble = DiskFault['how'] | { readonly type: 'stuckSync' };

/** From the next call on that the process makes; undefined: the disk is as good as it was. */
export function setTrouble(troubleFile: string, how: Trouble | undefined): void {
  if (how === undefined) {
    rmSync(troubleFile, { force: true });
    return;
  }
  // Whoever reads it finds it whole.
  writeFileSync(`${troubleFile}.new`, wordsOf(how));
  renameSync(`${troubleFile}.new`, troubleFile);
}

function wordsOf(how: Trouble): string {
  switch (how.type) {
    case 'slow':
      return `slow ${Math.round(how.latencyMs)}`;
    case 'stuck':
      return 'stuck';
    case 'stuckSync':
      return 'stuck sync';
    case 'error':
      return how.written ? 'sync' : 'write';
    case 'full':
      return 'full';
    default:
      return unreachable(how);
  }
}

/** How many calls of the process have met trouble so far. */
export function troubleHits(troubleFile: string): number {
  const hits = `${troubleFile}.hits`;
  return existsSync(hits) ? statSync(hits).size : 0;
}
