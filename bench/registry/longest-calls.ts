/** How long the most that one call may ask for holds up everything else. */
import {
  decodeResult,
  encodeQuery,
  type RangeQuery,
  type RangeSelection,
  type Revision,
  type TxnCompare,
} from '../../src/registry/index.ts';
import { BATCH, keyOf, LoadedRegistry, NOBODY, putOf, timeOf } from './loaded-registry.ts';

/** By what was asked, in ms. */
export type LongestCalls = Readonly<Record<string, number>>;

const MANY = 100_000;
const NO_BOUND = 0 as Revision;
const EVERYTHING: RangeSelection = {
  countOnly: false,
  sortBy: 'key',
  descending: false,
  minModRevision: NO_BOUND,
  maxModRevision: NO_BOUND,
  minCreateRevision: NO_BOUND,
  maxCreateRevision: NO_BOUND,
};
const COMPARE_ALL: TxnCompare = {
  start: '',
  end: undefined,
  operator: 'greater',
  target: 'version',
  operand: 0,
};

function rangeOf(select: Partial<RangeSelection>, more: Partial<RangeQuery> = {}): Uint8Array {
  return encodeQuery({
    type: 'range',
    start: '',
    end: undefined,
    limit: 10,
    keysOnly: true,
    revision: 0 as Revision,
    select: { ...EVERYTHING, ...select },
    ...more,
  });
}

export function longestCalls(keys: number): LongestCalls {
  const registry = new LoadedRegistry(keys);
  const { machine } = registry;
  const asking = (query: Uint8Array): number => timeOf(() => machine.query(query));
  const late = machine.revision;
  const compares = Array.from({ length: 255 }, () => COMPARE_ALL);
  const end = keyOf(MANY, keys, 'sequential');
  const deletes = [{ type: 'deleteRange' as const, start: '', end }];
  return {
    'count of all': asking(rangeOf({ countOnly: true })),
    'count with a filter': asking(rangeOf({ countOnly: true, minModRevision: late })),
    'list with a filter': asking(rangeOf({ minModRevision: late })),
    'list of 99,999 keys sorted by revision': asking(
      rangeOf({ sortBy: 'modRevision' }, { end: keyOf(MANY - 1, keys, 'sequential') }),
    ),
    'transaction of 255 compares of all': timeOf(() =>
      registry.do({ type: 'txn', compares, success: [], failure: [] }),
    ),
    'session of 100,000 keys ends': endOfSession(registry),
    'range delete of 100,000 keys': timeOf(() =>
      registry.do({ type: 'txn', compares: [], success: deletes, failure: [] }),
    ),
    ...expiryOfAll(keys),
  };
}

function endOfSession(registry: LoadedRegistry): number {
  const opened = decodeResult(
    registry.do({
      type: 'openSession',
      ttlMs: 10_000,
      label: '',
      metadata: new Uint8Array(0),
      trapExits: false,
    }),
  );
  if (opened.type !== 'session') throw new Error(`no session but ${opened.type}`);
  const { session } = opened;
  for (let i = 0; i < MANY; i++) {
    registry.apply(putOf(`own/${keyOf(i, MANY, 'random')}`, { ...NOBODY, session }));
    if (i % BATCH === 0) registry.machine.takeEvents();
  }
  registry.machine.takeEvents();
  return timeOf(() => registry.do({ type: 'closeSession', session }));
}

function expiryOfAll(keys: number): LongestCalls {
  const registry = new LoadedRegistry();
  const ttlMs = 10 * keys;
  for (let i = 0; i < keys; i++) {
    registry.apply(putOf(keyOf(i, keys, 'random'), NOBODY, ttlMs));
    if (i % BATCH === 0) registry.machine.takeEvents();
  }
  registry.machine.takeEvents();
  registry.time += 2 * ttlMs;
  return { 'tick at which all keys expire': timeOf(() => registry.do({ type: 'tick' })) };
}
