/** Random work, compared step by step with the naive model. */
import assert from 'node:assert/strict';
import type { LogStore } from '../contract.ts';
import {
  applied,
  assertModel,
  EMPTY_MODEL,
  lastIndexOf,
  perform,
  randomOperation,
} from './model.ts';
import type { Model } from './model.ts';
import { Random } from './random.ts';
import { assertEntries, index } from './rig.ts';
import type { Define, Rig } from './rig.ts';

async function compareReads(random: Random, store: LogStore, model: Model): Promise<void> {
  const first = model.entries[0]?.index;
  if (first === undefined) return;
  const from = random.between(first, lastIndexOf(model));
  const through = random.between(from, lastIndexOf(model));
  const maxBytes = random.between(0, 4000);
  const expected = model.entries.filter((one) => one.index >= from && one.index <= through);
  let bytes = expected[0]!.data.length;
  let count = 1;
  while (count < expected.length && bytes + expected[count]!.data.length <= maxBytes) {
    bytes += expected[count]!.data.length;
    count++;
  }
  const actual = await store.slice(index(from), index(through), maxBytes);
  assertEntries(actual, expected.slice(0, count));
  assertEntries([(await store.getEntry(index(from)))!], [expected[0]!]);
}

async function workRandomly(rig: Rig, seed: number, steps: number): Promise<void> {
  const random = new Random(seed);
  const directory = rig.directory();
  let store = await rig.open(directory);
  let model = EMPTY_MODEL;
  for (let step = 0; step < steps; step++) {
    try {
      const operation = randomOperation(random, model, random.chance(0.05) ? 300_000 : 1500);
      await perform(store, operation);
      model = applied(model, operation);
      assert.equal(store.lastIndex(), lastIndexOf(model));
      await compareReads(random, store, model);
      if (random.chance(0.1)) {
        await store.close();
        store = await rig.open(directory);
        await assertModel(store, model);
      }
    } catch (error) {
      throw new Error(`seed ${seed}, step ${step}`, { cause: error });
    }
  }
  await assertModel(store, model);
}

export function defineModelCases(define: Define, long: boolean): void {
  const seeds = long ? 100 : 4;
  const steps = long ? 300 : 60;
  define('[LOG-21] random work agrees with a naive model', async (rig) => {
    for (let seed = 1; seed <= seeds; seed++) await workRandomly(rig, seed, steps);
  });
}
