/**
 * `holdfast/conformance`: checks a log store against the whole contract.
 *
 * @example
 * import { test } from 'node:test';
 * import { testLogStore } from 'holdfast/conformance';
 * import { createStore } from './my-store.js';
 *
 * const module = new URL('./my-store.js', import.meta.url);
 * testLogStore({ test, create: createStore, module });
 */
import { optionNames, refuseUnknownOptions } from '../../base/index.ts';
import { defineBoundaries } from './boundaries.ts';
import { defineCrashes } from './crashes.ts';
import { defineDamage } from './damage.ts';
import { defineModelCases } from './model-cases.ts';
import type { ConformanceOptions, DurableStoreOptions } from './options.ts';
import { Rig } from './rig.ts';
import type { Define } from './rig.ts';
import { defineSnapshots } from './snapshots.ts';
import { defineVerbs } from './verbs.ts';

const NAMES = optionNames<DurableStoreOptions>({
  test: true,
  create: true,
  long: true,
  durable: true,
  module: true,
  exportName: true,
  damage: true,
  systemCalls: true,
});

/**
 * Registers every case with `options.test`. A case fails by rejecting. Directories are made under
 * the system's place for temporary files and removed.
 */
export function testLogStore(options: ConformanceOptions): void {
  refuseUnknownOptions('testLogStore', options, NAMES);
  const long = options.long ?? process.env['HOLDFAST_CONFORMANCE_LONG'] !== undefined;
  const define: Define = (name, run) => {
    options.test(name, async () => {
      const rig = new Rig(options);
      try {
        await run(rig);
      } finally {
        await rig.dispose();
      }
    });
  };
  defineVerbs(define, options.durable !== false);
  defineBoundaries(define);
  defineSnapshots(define);
  defineModelCases(define, long);
  if (options.durable === false) return;
  defineDamage(define, options);
  defineCrashes(define, options, long);
}

export type {
  ConformanceOptions,
  CreateStore,
  DurableStoreOptions,
  VolatileStoreOptions,
} from './options.ts';
