/** Reads histories: JSON lines, empty lines allowed. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseLine } from './format.ts';
import { checkProcesses } from './order.ts';
import type { Operation } from './operation.ts';

/**
 * The operations of a text, in its order.
 * @throws HistoryError for the first line that breaks a rule
 */
export function parseHistory(text: string): Operation[] {
  const reader = new Reader();
  for (const line of text.split('\n')) reader.take(line);
  return reader.end();
}

/**
 * The operations of a file, in its order.
 * @throws HistoryError for the first line that breaks a rule, and what the file system says
 */
export async function readHistory(path: string): Promise<Operation[]> {
  const reader = new Reader();
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  for await (const line of lines) reader.take(line);
  return reader.end();
}

class Reader {
  readonly #history: Operation[] = [];
  readonly #lines: number[] = [];
  #line = 0;

  take(text: string): void {
    this.#line++;
    if (text.trim() === '') return;
    this.#history.push(parseLine(text, this.#line));
    this.#lines.push(this.#line);
  }

  end(): Operation[] {
    checkProcesses(this.#history, this.#lines);
    return this.#history;
  }
}
