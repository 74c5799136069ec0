/** Reads histories: JSON lines, empty lines allowed. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseLine, type LineRule } from './format.ts';
import { checkProcesses } from './order.ts';
import type { Operation } from './operation.ts';

/**
 * The operations of a text, in its order.
 * @param rule what a model asks of each besides: `shapeFault`
 * @throws HistoryError for the first line that breaks a rule
 */
export function parseHistory(text: string, rule?: LineRule): Operation[] {
  const reader = new Reader(rule);
  for (const line of text.split('\n')) reader.take(line);
  return reader.end();
}

/**
 * The operations of a file, in its order.
 * @param rule what a model asks of each besides: `shapeFault`
 * @throws HistoryError for the first line that breaks a rule, and what the file system says
 */
export async function readHistory(path: string, rule?: LineRule): Promise<Operation[]> {
  const reader = new Reader(rule);
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  for await (const line of lines) reader.take(line);
  return reader.end();
}

class Reader {
  readonly #history: Operation[] = [];
  readonly #lines: number[] = [];
  readonly #rule: LineRule | undefined;
  #line = 0;

  constructor(rule: LineRule | undefined) {
    this.#rule = rule;
  }

  take(text: string): void {
    this.#line++;
    if (text.trim() === '') return;
    this.#history.push(parseLine(text, this.#line, this.#rule));
    this.#lines.push(this.#line);
  }

  end(): Operation[] {
    checkProcesses(this.#history, this.#lines);
    return this.#history;
  }
}
