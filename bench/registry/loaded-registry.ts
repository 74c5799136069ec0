/** A registry with the index and the clock of its log, and commands to load it with. */
import {
  encodeCommand,
  RegistryStateMachine,
  type CommandHeader,
  type RegistryCommand,
  type SessionId,
} from '../../src/registry/index.ts';

export const VALUE_BYTES = 64;
export const KEY_BYTES = 24;
/** Commands between two looks at the clock, so that what the clock costs does not show. */
export const BATCH = 500;
/** Cluster time between two commands: 20,000 a second. */
const STEP_MS = 0.05;
/** Coprime to the numbers of keys, and far from them: neighbours in time are none in memory. */
const STRIDE = 7_368_787;
const PREFIX = 'bench/';

export type Order = 'random' | 'sequential';

const value = new Uint8Array(VALUE_BYTES).fill(97);
export const NOBODY: CommandHeader = {
  session: 0 as SessionId,
  sequence: 0,
  acknowledged: 0,
  node: 'a',
};

/** The `number`th key to be used of `keys`; the first `keys` numbers give each once. */
export function keyOf(number: number, keys: number, order: Order): string {
  const place = order === 'sequential' ? number % keys : (number * STRIDE) % keys;
  return PREFIX + String(place).padStart(KEY_BYTES - PREFIX.length, '0');
}

export function putOf(key: string, header: CommandHeader = NOBODY, ttlMs = 0): Uint8Array {
  const ephemeral = header.session !== 0;
  return encodeCommand(header, { type: 'put', key, value, ttlMs, ephemeral, lock: false });
}

/** Puts of the numbers from `from` on. */
export function batchOf(from: number, keys: number, order: Order): Uint8Array[] {
  return Array.from({ length: BATCH }, (_, i) => putOf(keyOf(from + i, keys, order)));
}

/** How long `call` takes, in ms. */
export function timeOf(call: () => unknown): number {
  const started = performance.now();
  call();
  return performance.now() - started;
}

export class LoadedRegistry {
  readonly machine: RegistryStateMachine = new RegistryStateMachine();
  #index = 0;
  /** Cluster time in ms. */
  time = 0;

  /** With so many keys, put in one order or the other. */
  constructor(keys = 0, order: Order = 'random') {
    for (let i = 0; i < keys; i++) {
      this.apply(putOf(keyOf(i, keys, order)));
      if (i % BATCH === 0) this.machine.takeEvents();
    }
    this.machine.takeEvents();
  }

  apply(command: Uint8Array): Uint8Array {
    this.#index++;
    this.time += STEP_MS;
    return this.machine.apply(command, { index: this.#index, term: 1, time: this.time });
  }

  do(command: RegistryCommand, header: CommandHeader = NOBODY): Uint8Array {
    return this.apply(encodeCommand(header, command));
  }

  /** Applies a batch, and hands on its events, as a node does. */
  applyBatch(commands: readonly Uint8Array[]): void {
    for (const command of commands) this.apply(command);
    this.machine.takeEvents();
  }
}
