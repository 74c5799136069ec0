/** What a snapshot costs, and what it does to the puts that go on meanwhile. */
import { RegistryStateMachine } from '../../src/registry/index.ts';
import { percentiles, type Percentiles } from '../measure/statistics.ts';
import { BATCH, batchOf, keyOf, LoadedRegistry, putOf, timeOf } from './loaded-registry.ts';

export interface SnapshotFigures {
  /** Puts in us: each waits for the snapshot's step of its turn and for the puts before it. */
  readonly quiet: Percentiles;
  readonly during: Percentiles;
  /** The writer's steps in ms. */
  readonly steps: Percentiles;
  readonly bytes: number;
  /** All steps together. */
  readonly writeMs: number;
  readonly restoreMs: number;
}

/** A turn of a node's event loop applies so many, and makes one chunk of the snapshot. */
const PUTS_PER_TURN = 64;
const WARM_UP_PUTS = 150_000;
const QUIET_TURNS = 1500;

class Turns {
  readonly #registry: LoadedRegistry;
  readonly #keys: number;
  #puts = 0;

  constructor(registry: LoadedRegistry, keys: number) {
    this.#registry = registry;
    this.#keys = keys;
  }

  /** `step`, whose result it gives, comes first: as what is under way when puts arrive. */
  run(latencies: number[], step: () => boolean): boolean {
    const batch = Array.from({ length: PUTS_PER_TURN }, (_, i) =>
      putOf(keyOf(this.#puts + i, this.#keys, 'random')),
    );
    this.#puts += PUTS_PER_TURN;
    const began = performance.now();
    const goesOn = step();
    for (const command of batch) {
      this.#registry.apply(command);
      latencies.push((performance.now() - began) * 1000);
    }
    this.#registry.machine.takeEvents();
    return goesOn;
  }
}

function noStep(): boolean {
  return true;
}

export function snapshotFigures(keys: number): SnapshotFigures {
  const registry = new LoadedRegistry(keys);
  for (let from = 0; from < WARM_UP_PUTS; from += BATCH) {
    registry.applyBatch(batchOf(from, keys, 'random'));
  }
  const turns = new Turns(registry, keys);
  const quiet: number[] = [];
  for (let i = 0; i < QUIET_TURNS; i++) turns.run(quiet, noStep);
  const source = registry.machine.snapshotChunks();
  const [during, steps]: [number[], number[]] = [[], []];
  const chunks: Uint8Array[] = [];
  /** True when there was a chunk left to make. */
  const step = (): boolean => {
    const began = performance.now();
    const next = source.next();
    steps.push(performance.now() - began);
    if (next.done !== true) chunks.push(next.value);
    return next.done !== true;
  };
  while (turns.run(during, step));
  const restoreMs = timeOf(() => {
    const restorer = new RegistryStateMachine().restorer();
    for (const chunk of chunks) restorer.push(chunk);
    restorer.finish();
  });
  return {
    quiet: percentiles(quiet),
    during: percentiles(during),
    steps: percentiles(steps),
    bytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    writeMs: steps.reduce((sum, ms) => sum + ms, 0),
    restoreMs,
  };
}
