/** The registry as a state machine that is watched while it is applied to, saved and restored. */
import { createHash } from 'node:crypto';
import type { ApplyContext, LeaderSide, StateMachine } from '../../src/node/index.ts';
import type { RegistryStateMachine } from '../../src/registry/index.ts';

export interface MachineObserver {
  applied(command: Uint8Array, context: ApplyContext, result: Uint8Array): void;
  /** A snapshot is cut now; what is returned is told its hash once all of it was read. */
  cut(): (hash: string) => void;
  /** The state is a snapshot's now, and has this hash. */
  restored(hash: string): void;
}

/** Hash of a registry's whole state. */
export function stateHash(registry: RegistryStateMachine): string {
  const hash = createHash('sha1');
  for (const chunk of registry.snapshotChunks()) hash.update(chunk);
  return hash.digest('hex');
}

export class ObservedMachine implements StateMachine {
  readonly configuration: string;
  readonly leaderSide: LeaderSide;
  readonly #registry: RegistryStateMachine;
  readonly #observer: MachineObserver;

  constructor(registry: RegistryStateMachine, observer: MachineObserver) {
    this.#registry = registry;
    this.#observer = observer;
    this.configuration = registry.configuration;
    this.leaderSide = registry.leaderSide;
  }

  apply(command: Uint8Array, context: ApplyContext): Uint8Array {
    const result = this.#registry.apply(command, context);
    this.#observer.applied(command, context, result);
    return result;
  }

  query(request: Uint8Array): Uint8Array {
    return this.#registry.query(request);
  }

  snapshot(): AsyncIterable<Uint8Array> {
    return hashing(this.#registry.snapshot(), this.#observer.cut());
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#registry.restore(chunks);
    this.#observer.restored(stateHash(this.#registry));
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
