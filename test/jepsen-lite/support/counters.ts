/** Replicated counters that work, to be broken in ways of a test's own. */
import type { StateMachine } from '../../../src/index.ts';

export const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
export const valueOf = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());

/** Every command adds 1 to the counter it names and answers the sum. */
export class Counters implements StateMachine {
  #counts = new Map<string, number>();

  apply(command: Uint8Array): Uint8Array {
    const name = String(valueOf(command));
    const count = (this.#counts.get(name) ?? 0) + this.step();
    this.#counts.set(name, count);
    return bytesOf(count);
  }

  /** By how much. */
  step(): number {
    return 1;
  }

  query(request: Uint8Array): Uint8Array {
    return bytesOf(this.#counts.get(String(valueOf(request))) ?? 0);
  }

  async *snapshot(): AsyncIterable<Uint8Array> {
    yield bytesOf(this.entries());
  }

  entries(): readonly (readonly [string, number])[] {
    return [...this.#counts].toSorted(([left], [right]) => (left < right ? -1 : 1));
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    this.#counts = new Map(valueOf(Buffer.concat(parts)) as [string, number][]);
  }
}
