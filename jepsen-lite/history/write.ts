/** Writes a history while it happens. */
import { open, type FileHandle } from 'node:fs/promises';
import { formatLine } from './format.ts';
import type { Operation } from './operation.ts';

/** Characters gathered before they are written. */
const CHUNK_CHARACTERS = 64 * 1024;

/** A file that grows by what is written; whatever was in it before is gone. */
export class HistoryWriter implements AsyncDisposable {
  readonly #file: FileHandle;
  #gathered = '';
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** @throws what the file system says */
  static async create(path: string): Promise<HistoryWriter> {
    return new HistoryWriter(await open(path, 'w'));
  }

  /** What goes wrong is told by the next `flush` or `close`. */
  write(operation: Operation): void {
    this.#gathered += `${formatLine(operation)}\n`;
    if (this.#gathered.length >= CHUNK_CHARACTERS) this.flush().catch(() => undefined);
  }

  /** Resolves when everything so far is in the file. */
  flush(): Promise<void> {
    const text = this.#gathered;
    this.#gathered = '';
    this.#writing = this.#writing.then(() => this.#append(text));
    this.#writing.catch(() => undefined);
    return this.#writing;
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #append(text: string): Promise<void> {
    if (text !== '') await this.#file.appendFile(text);
  }
}
