/** A state machine that is watched while it is applied to, saved and restored. */
import { createHash } from 'node:crypto';
import type { ApplyContext, LeaderSide, StateMachine } from '../../src/node/index.ts';
import type { Application } from './application.ts';

export interface MachineObserver {
  /** `result` is empty for commands whose result is not to be compared. */
  applied(command: Uint8Array, context: ApplyContext, result: Uint8Array): void;
  /** A snapshot is cut now; what is returned is told its hash once all of it was read. */
  cut(): (hash: string) => void;
  /** The state is a snapshot's now, and has this hash. */
  restored(hash: string): void;
}

const NO_RESULT = new Uint8Array(0);

export class ObservedMachine implements StateMachine {
  readonly configuration: string | undefined;
  readonly leaderSide: LeaderSide | undefined;
  readonly #application: Application;
  readonly #machine: StateMachine;
  readonly #observer: MachineObserver;

  constructor(application: Application, observer: MachineObserver) {
    this.#application = application;
    this.#machine = application.stateMachine;
    this.#observer = observer;
    this.configuration = this.#machine.configuration;
    this.leaderSide = this.#machine.leaderSide;
  }

  apply(command: Uint8Array, context: ApplyContext): Uint8Array {
    const result = this.#machine.apply(command, context);
    this.#observer.applied(command, context, this.#isCompared(context) ? result : NO_RESULT);
    return result;
  }

  applyUnanswered(command: Uint8Array, context: ApplyContext): void {
    if (this.#isCompared(context)) {
      this.apply(command, context);
      return;
    }
    this.#machine.applyUnanswered!(command, context);
    this.#observer.applied(command, context, NO_RESULT);
  }

  /** Of a machine that knows both, every other result: on all nodes or on none. */
  #isCompared({ index }: ApplyContext): boolean {
    return this.#machine.applyUnanswered === undefined || index % 2 === 1;
  }

  query(request: Uint8Array): Uint8Array {
    return this.#machine.query(request);
  }

  snapshot(): AsyncIterable<Uint8Array> {
    return hashing(this.#machine.snapshot(), this.#observer.cut());
  }

  get snapshotBytes(): number | undefined {
    return this.#machine.snapshotBytes;
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#machine.restore(chunks);
    this.#observer.restored(await this.#application.hash());
  }
}

async function* hashing(
  chunks: AsyncIterable<Uint8Array>,
  done: (hash: string) => void,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha1');
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  done(hash.digest('hex'));
}
