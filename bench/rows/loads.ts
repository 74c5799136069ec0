/** Families of calls under a fixed number in flight: puts, gets, mixed, transactions. */
import type { DurableStore } from '../options.ts';
import { keyAt, type Operation } from '../load/load-spec.ts';
import {
  ETCD_PATHS,
  putRequest,
  rangeRequest,
  transactionRequest,
} from '../peers/etcd-messages.ts';
import {
  contestOfLoads,
  etcd,
  inFlightPoints,
  limit,
  ours,
  VALUE_BYTES,
  type EtcdRequest,
  type LoadPoint,
} from './contestants.ts';
import { LOAD_COLUMNS, type Bench, type Entrant, type Family } from './family.ts';

const NODES = 3;
const FEWER_IN_FLIGHT = [1, 100, 1000];
const FIRST_KEY = keyAt(0);
/** What an answer has beside the value, at least: revision, term, ids. */
const LEAST_HEADER_BYTES = 20;

function valueOf(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(97);
}

const ETCD_PUT: EtcdRequest = {
  paths: [ETCD_PATHS.put],
  bytes: (valueBytes) => putRequest(FIRST_KEY, valueOf(valueBytes)),
  leastReplyBytes: LEAST_HEADER_BYTES,
};
const ETCD_GET: EtcdRequest = {
  paths: [ETCD_PATHS.range],
  bytes: () => rangeRequest(FIRST_KEY),
  leastReplyBytes: VALUE_BYTES,
};
const ETCD_LOCAL_GET: EtcdRequest = { ...ETCD_GET, bytes: () => rangeRequest(FIRST_KEY, true) };
const ETCD_TRANSACTION: EtcdRequest = {
  paths: [ETCD_PATHS.txn],
  bytes: (valueBytes) => transactionRequest([FIRST_KEY, keyAt(1), keyAt(2)], valueOf(valueBytes)),
  leastReplyBytes: VALUE_BYTES,
};
/**
 * One request that is a put and a get: what is the value of the one is the end of the other's
 * range, which begins with the key and a zero byte, so that there is no other key before it.
 */
const ETCD_MIXED: EtcdRequest = {
  paths: [ETCD_PATHS.put, ...Array.from({ length: 9 }, () => ETCD_PATHS.range)],
  bytes: (valueBytes) => {
    const value = Buffer.alloc(valueBytes, 97);
    value.write(`${FIRST_KEY}\0`);
    return putRequest(FIRST_KEY, value);
  },
  leastReplyBytes: VALUE_BYTES / 2,
  keyStep: 0,
};

export const LIMIT_OF_STORE: Readonly<Record<DurableStore, string>> = {
  sqlite: 'limit sqlite',
  level: 'limit level blocks',
};

/** The bare pipelines that stores are held against. */
export function limitsOfStores(bench: Bench): Entrant<LoadPoint>[] {
  return bench.options.stores.flatMap((store) =>
    limit(bench, LIMIT_OF_STORE[store], store === 'level' ? 'level-blocks' : store),
  );
}

function ofStores(bench: Bench, operation: Operation): Entrant<LoadPoint>[] {
  return bench.options.stores.map((store) =>
    ours(bench, store, { store, nodes: NODES }, { operation }),
  );
}

export function isStore(contestant: string): contestant is DurableStore {
  return contestant === 'sqlite' || contestant === 'level';
}

const peerOf = (contestant: string): string | undefined =>
  isStore(contestant) ? 'etcd' : undefined;
const limitOfStore = (contestant: string): string | undefined =>
  isStore(contestant) ? LIMIT_OF_STORE[contestant] : undefined;
const againstNoDisk = (contestant: string): string | undefined =>
  contestant.startsWith('limit') || contestant === 'etcd' ? undefined : 'limit no disk';
const common = { columns: LOAD_COLUMNS, headline: 'perSecond', drawn: 'load', peerOf } as const;

export const put: Family = {
  ...common,
  name: 'put',
  about: 'durable puts of 256 B, three nodes',
  limitOf: limitOfStore,
  run: (bench) =>
    contestOfLoads(bench, 'put', inFlightPoints(bench), [
      ...ofStores(bench, 'put'),
      ...etcd(bench, ETCD_PUT),
      ...limitsOfStores(bench),
      ...(bench.options.stores.includes('level')
        ? limit(bench, 'limit level records', 'level')
        : []),
      ...limit(bench, 'limit file', 'file'),
      ...limit(bench, 'limit no disk', 'none'),
    ]),
};

export const get: Family = {
  ...common,
  name: 'get',
  about: 'linearizable gets of 256 B, three nodes',
  limitOf: againstNoDisk,
  run: (bench) =>
    contestOfLoads(bench, 'get', inFlightPoints(bench), [
      ...ofStores(bench, 'get'),
      ...etcd(bench, ETCD_GET),
      ...limit(bench, 'limit no disk', 'none', 'get'),
    ]),
};

export const weakerGets: Family = {
  ...common,
  name: 'weaker-gets',
  about: "gets under the leader's lease, and of one node alone; etcd's are serializable",
  peerOf: (contestant) => (contestant === 'local' ? 'etcd' : undefined),
  limitOf: againstNoDisk,
  run: (bench) =>
    contestOfLoads(bench, 'weaker-gets', inFlightPoints(bench), [
      ours(bench, 'lease', { store: 'sqlite', nodes: NODES }, { operation: 'lease-get' }),
      ours(bench, 'local', { store: 'sqlite', nodes: NODES }, { operation: 'local-get' }),
      ...etcd(bench, ETCD_LOCAL_GET),
      ...limit(bench, 'limit no disk', 'none', 'lone-get'),
    ]),
};

export const mixed: Family = {
  ...common,
  name: 'mixed',
  about: 'nine linearizable gets to one durable put, 256 B, three nodes',
  limitOf: againstNoDisk,
  run: (bench) =>
    contestOfLoads(bench, 'mixed', inFlightPoints(bench, FEWER_IN_FLIGHT), [
      ...ofStores(bench, 'mixed'),
      ...etcd(bench, ETCD_MIXED),
      ...limit(bench, 'limit no disk', 'none', 'get'),
    ]),
};

export const transaction: Family = {
  ...common,
  name: 'transaction',
  about: 'if a key is there, put two and read one; three nodes',
  limitOf: limitOfStore,
  run: (bench) =>
    contestOfLoads(bench, 'transaction', inFlightPoints(bench, FEWER_IN_FLIGHT), [
      ...ofStores(bench, 'transaction'),
      ...etcd(bench, ETCD_TRANSACTION),
      ...limitsOfStores(bench),
    ]),
};

const SIZES = [16, 1024, 65_536];

export const values: Family = {
  ...common,
  name: 'values',
  about: 'durable puts of 16 B, 1 KiB and 64 KiB at 100 in flight, three nodes',
  drawn: 'size',
  limitOf: limitOfStore,
  run: (bench) => {
    const points = SIZES.map((valueBytes): LoadPoint => {
      const label = valueBytes < 1024 ? `${valueBytes} B` : `${valueBytes / 1024} KiB`;
      return { label, x: valueBytes, inFlight: 100, valueBytes };
    });
    return contestOfLoads(bench, 'values', points, [
      ...ofStores(bench, 'put'),
      ...etcd(bench, ETCD_PUT),
      ...limitsOfStores(bench),
    ]);
  },
};
