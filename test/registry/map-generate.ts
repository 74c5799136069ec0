/** fast-check generators of commands on maps: few names and keys, so that they meet. */
import * as fc from 'fast-check';
import type { MapCommand, Revision } from '../../src/registry/index.ts';

const ref = {
  map: fc.constantFrom('m', 'mm'),
  created: fc
    .oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 9 }) })
    .map((number) => number as Revision),
};
const key = fc.constantFrom('a', 'b', 'm\0a', `a/${'0'.repeat(16)}`);
const value = fc.constantFrom('1', '2').map((text) => new Uint8Array(Buffer.from(text)));
const mostly = fc.integer({ min: 0, max: 3 }).map((number) => number > 0);
const options = { persist: fc.boolean(), prune: mostly };

export const anyMapCommand: fc.Arbitrary<MapCommand> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant('openMap' as const), ...ref, ...options }),
  },
  {
    weight: 9,
    arbitrary: fc.record({ type: fc.constant('mapPut' as const), ...ref, key, value }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('mapRemove' as const), ...ref, key }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('detachMap' as const), ...ref }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('dropMap' as const), ...ref }) },
);
