/** What strace saw of a store's files, as steps in the order in which they were done. */

/** Something done to one file's contents. */
export type FileChange =
  | { readonly type: 'write'; readonly at: number; readonly bytes: Buffer }
  | { readonly type: 'truncate'; readonly length: number };

export type Step =
  | { readonly type: 'change'; readonly path: string; readonly change: FileChange }
  /** Everything done to the file before the step of number `before` is on the disk. */
  | { readonly type: 'sync'; readonly path: string; readonly before: number }
  /** The name exists from now on, with nothing in it if there was none. */
  | { readonly type: 'create'; readonly path: string }
  | { readonly type: 'rename'; readonly from: string; readonly to: string }
  | { readonly type: 'remove'; readonly path: string }
  /** Operations of the script that were begun, and acknowledged. */
  | { readonly type: 'progress'; readonly begun: number; readonly done: number };

export interface TraceOptions {
  /** Only what lies in it is of interest. */
  readonly directory: string;
  readonly progressFile: string;
}

/** The system calls that `record.ts` has strace report. */
export const TRACED: readonly string[] = [
  'openat',
  'write',
  'pwrite64',
  'ftruncate',
  'rename',
  'unlink',
  'fsync',
  'fdatasync',
];
/** What would change files as well and is not understood here: it must not go unseen. */
export const NOT_UNDERSTOOD: readonly string[] = [
  'writev',
  'pwritev',
  'pwritev2',
  'fallocate',
  'copy_file_range',
  'sendfile',
  'renameat',
  'renameat2',
  'unlinkat',
  'truncate',
];

const CALL = /^(\d+) +(\w+)\((.*)\) += (-?\d+)/s;
const UNFINISHED = /^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$/s;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>(.*)$/s;

interface Call {
  readonly name: string;
  readonly text: string;
  /** How many steps had been done when it began. */
  readonly begunAt: number;
}

/**
 * Reads strace's text (`-f -y -xx`).
 *
 * @throws Error for a call that changes the store's files in a way that is not understood
 */
export function parseTrace(text: string, options: TraceOptions): Step[] {
  const steps = new Steps(options);
  const open = new Map<string, Call>();
  for (const line of text.split('\n')) {
    const unfinished = UNFINISHED.exec(line);
    if (unfinished !== null) {
      const [, thread, name, rest] = unfinished as unknown as string[];
      open.set(thread!, { name: name!, text: rest!, begunAt: steps.list.length });
      continue;
    }
    const resumed = RESUMED.exec(line);
    const begun = resumed === null ? undefined : open.get(resumed[1]!);
    const whole =
      begun === undefined ? line : `${resumed![1]} ${begun.name}(${begun.text}${resumed![3]}`;
    const call = CALL.exec(whole);
    if (call === null) continue;
    const [, , name, rest, result] = call as unknown as string[];
    if (Number(result) < 0) continue;
    steps.add({ name: name!, text: rest!, begunAt: begun?.begunAt ?? steps.list.length }, result!);
  }
  return steps.list;
}

/** A string as `-xx` writes it. */
function decode(text: string): Buffer {
  return Buffer.from(text.replaceAll('\\x', ''), 'hex');
}

function stringsIn(text: string): string[] {
  return [...text.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map((match) => match[1]!);
}

/** The path of the descriptor that is a call's first argument. */
function pathOf(text: string): string {
  const match = /^\w+<([^>]*)>/.exec(text);
  const path = match?.[1] ?? '';
  return path.startsWith('\\x') ? decode(path).toString() : path;
}

class Steps {
  readonly list: Step[] = [];
  readonly #options: TraceOptions;
  /** Where the next plain write goes: these files are written from front to back. */
  readonly #lengths = new Map<string, number>();

  constructor(options: TraceOptions) {
    this.#options = options;
  }

  #isOurs(path: string): boolean {
    // SQLite's index in shared memory is made anew by whoever opens the database first.
    return path.startsWith(`${this.#options.directory}/`) && !path.endsWith('-shm');
  }

  add({ name, text, begunAt }: Call, result: string): void {
    if (name === 'openat') this.#opened(text);
    else if (name === 'rename') this.#renamed(text);
    else if (name === 'unlink') this.#removed(text);
    else this.#onFile(name, text, begunAt, Number(result));
  }

  #opened(text: string): void {
    const path = decode(stringsIn(text)[0] ?? '').toString();
    if (!this.#isOurs(path) || !text.includes('O_CREAT')) return;
    if (!this.#lengths.has(path)) {
      this.#lengths.set(path, 0);
      this.list.push({ type: 'create', path });
    } else if (text.includes('O_TRUNC')) this.#change(path, { type: 'truncate', length: 0 });
  }

  #renamed(text: string): void {
    const [from = '', to = ''] = stringsIn(text).map((one) => decode(one).toString());
    if (!this.#isOurs(from)) return;
    this.#lengths.set(to, this.#lengths.get(from) ?? 0);
    this.#lengths.delete(from);
    this.list.push({ type: 'rename', from, to });
  }

  #removed(text: string): void {
    const path = decode(stringsIn(text)[0] ?? '').toString();
    if (!this.#isOurs(path)) return;
    this.#lengths.delete(path);
    this.list.push({ type: 'remove', path });
  }

  #onFile(name: string, text: string, begunAt: number, result: number): void {
    const path = pathOf(text);
    if (path === this.#options.progressFile) this.#progress(text);
    if (!this.#isOurs(path)) return;
    if (name === 'fsync' || name === 'fdatasync') {
      this.list.push({ type: 'sync', path, before: begunAt });
      return;
    }
    const last = Number(text.slice(text.lastIndexOf(', ') + 2));
    if (name === 'ftruncate') {
      this.#change(path, { type: 'truncate', length: last });
    } else if (name === 'write' || name === 'pwrite64') {
      const bytes = decode(stringsIn(text)[0] ?? '').subarray(0, result);
      const at = name === 'write' ? (this.#lengths.get(path) ?? 0) : last;
      this.#change(path, { type: 'write', at, bytes });
    } else {
      throw new Error(`a store's file is changed by ${name}, which is not understood`);
    }
  }

  #change(path: string, change: FileChange): void {
    const length = this.#lengths.get(path) ?? 0;
    const end = change.type === 'write' ? change.at + change.bytes.length : change.length;
    this.#lengths.set(path, change.type === 'write' ? Math.max(length, end) : end);
    this.list.push({ type: 'change', path, change });
  }

  #progress(text: string): void {
    const [begun, done] = decode(stringsIn(text)[0] ?? '')
      .toString()
      .trim()
      .split(/\s+/);
    this.list.push({ type: 'progress', begun: Number(begun), done: Number(done) });
  }
}
