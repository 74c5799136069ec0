/** Replicated counters, one for each name, and what a counter has to be. */
import type { StateMachine } from 'holdfast';
import type { Model, Operation } from 'holdfast/jepsen-lite';

const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const decode = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString());

/** A command; `id` is its own, so that it can be sent again. */
export const add = (name: string, by: number, id: string): Uint8Array => encode({ name, by, id });
/** A query. */
export const ask = (name: string): Uint8Array => encode(name);
/** What a command or a query answers. */
export const countOf = (answer: Uint8Array): number => Number(decode(answer));

interface Add {
  readonly name: string;
  readonly by: number;
  readonly id: string;
}

export class Counters implements StateMachine {
  #counts = new Map<string, number>();

  apply(command: Uint8Array): Uint8Array {
    const { name, by }: Add = decode(command);
    const count = (this.#counts.get(name) ?? 0) + by;
    this.#counts.set(name, count);
    return encode(count);
  }

  query(request: Uint8Array): Uint8Array {
    return encode(this.#counts.get(decode(request)) ?? 0);
  }

  /** The same state must give the same bytes on every replica: hence sorted. */
  async *snapshot(): AsyncIterable<Uint8Array> {
    yield encode([...this.#counts].toSorted(([left], [right]) => (left < right ? -1 : 1)));
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    this.#counts = new Map(decode(Buffer.concat(parts)));
  }
}

/** The planted bug: a command that comes twice is recognised, but snapshots know nothing of it. */
export class ForgetfulCounters extends Counters {
  readonly #answers = new Map<string, Uint8Array>();

  override apply(command: Uint8Array): Uint8Array {
    const { id }: Add = decode(command);
    const answer = this.#answers.get(id) ?? super.apply(command);
    this.#answers.set(id, answer);
    return answer;
  }
}

/** One counter that does one thing after another: `add` answers the sum, `read` too. */
export const counter: Model<number> = {
  name: 'counter',
  part: ({ key }: Operation) => key,
  initial: 0,
  step(state, { f, value, type, output }) {
    const next = f === 'add' ? state + Number(value) : state;
    return type === 'info' || output === next ? next : undefined;
  },
  textOf: String,
  kindOf: ({ f, value }) => JSON.stringify([f, value]),
  readsOnly: ({ f }) => f === 'read',
};
