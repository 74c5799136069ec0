/** The names of options that calls of a registry take; a list that lacks one does not compile. */
import {
  HoldfastError,
  optionNames,
  refuseUnknownOptions,
  type OptionNames,
} from '../base/index.ts';
import type { SaveOptions } from './backup-file.ts';
import type { CampaignOptions, ObserveOptions } from './election-types.ts';
import type { TreeCompareOptions, TreeLockOptions, TreeNodeOptions } from './hash-tree-types.ts';
import type {
  CallOptions,
  CountOptions,
  GetOptions,
  ListOptions,
  PutOptions,
  ReadOptions,
  WriteOptions,
} from './key-types.ts';
import type { LockOptions, LocksOptions, WithLockOptions } from './lock-types.ts';
import type { MapOptions, MapSubscribeOptions } from './map-types.ts';
import type { AnyMapOptions } from './maps.ts';
import type { NoticeOptions } from './notice-types.ts';
import type { SessionOptions } from './session-types.ts';
import type { EdgeOptions, EntriesOptions, StoreOptions, TableOptions } from './table-types.ts';
import type { OperationPutOptions, SwapOptions } from './transaction-types.ts';
import type { VerifyOptions } from './verify-types.ts';
import type { WatchOptions } from './watch-types.ts';

type Names<Options extends object> = Readonly<Record<keyof Options & string, true>>;

const call: Names<CallOptions> = { timeout: true, signal: true };
const read: Names<ReadOptions> = { ...call, consistency: true };
const write: Names<WriteOptions> = { ...call, session: true };
const get: Names<GetOptions> = { ...read, revision: true };
const count: Names<CountOptions> = {
  ...get,
  prefix: true,
  minModRevision: true,
  maxModRevision: true,
  minCreateRevision: true,
  maxCreateRevision: true,
};
const list: Names<ListOptions> = {
  ...count,
  limit: true,
  keysOnly: true,
  after: true,
  sortBy: true,
  descending: true,
};
const operationPut: Names<OperationPutOptions> = { ttl: true, persist: true, ephemeral: true };
const campaign: Names<CampaignOptions> = {
  ...write,
  ttl: true,
  try: true,
  wait: true,
  metadata: true,
  lockDelay: true,
};
const lock: Names<LockOptions> = {
  ...write,
  try: true,
  wait: true,
  metadata: true,
  lockDelay: true,
  mode: true,
  limit: true,
  permits: true,
};
const observe: Names<ObserveOptions> = { signal: true };
const saveBackup: Names<SaveOptions> = { force: true, onProgress: true };
const map: Names<MapOptions> = { ...write, persist: true, prune: true, onInvalid: true };

const put: Names<PutOptions> = { ...write, ...operationPut, lock: true };
const swap: Names<SwapOptions> = { ...write, ...operationPut };
const withLock: Names<WithLockOptions> = { ...lock, ttl: true };
const locks: Names<LocksOptions> = { ...read, prefix: true, limit: true, after: true };
const session: Names<SessionOptions> = {
  ...call,
  ttl: true,
  label: true,
  metadata: true,
  keepAlive: true,
  trapExits: true,
};
const watch: Names<WatchOptions> = {
  key: true,
  prefix: true,
  start: true,
  end: true,
  from: true,
  events: true,
  causes: true,
  previous: true,
  progress: true,
  signal: true,
};
const table: Names<TableOptions> = { ...write, link: true, create: true };
const store: Names<StoreOptions> = { ...write, connect: true };
const edge: Names<EdgeOptions> = { type: true, peer: true };
const entries: Names<EntriesOptions> = { ...read, prefix: true };
const anyMap: Names<AnyMapOptions> = { ...map, validate: true, codec: true, schema: true };
const subscribe: Names<MapSubscribeOptions> = { initial: true, from: true, signal: true };
const notices: Names<NoticeOptions> = { session: true, signal: true };
const tree: Names<TreeLockOptions & TreeNodeOptions & TreeCompareOptions> = {
  ...write,
  node: true,
  local: true,
  remote: true,
};
const verify: Names<VerifyOptions> = {
  ...call,
  quick: true,
  maxDifferences: true,
  onProgress: true,
};

/** A call, or a kind of calls that take the same. */
export type KindOfCall =
  | 'call'
  | 'read'
  | 'write'
  | 'get'
  | 'count'
  | 'list'
  | 'put'
  | 'op.put'
  | 'swap'
  | 'lock'
  | 'withLock'
  | 'campaign'
  | 'locks'
  | 'session'
  | 'watch'
  | 'observe'
  | 'table'
  | 'store'
  | 'entries'
  | 'connect'
  | 'map'
  | 'subscribe'
  | 'notices'
  | 'verify'
  | 'saveBackup';

const KNOWN: Readonly<Record<KindOfCall, OptionNames>> = {
  call: optionNames<CallOptions>(call),
  read: optionNames<ReadOptions>(read),
  write: optionNames<WriteOptions>(write),
  get: optionNames<GetOptions>(get),
  count: optionNames<CountOptions>(count),
  list: optionNames<ListOptions>(list),
  put: optionNames<PutOptions>(put),
  'op.put': optionNames<OperationPutOptions>(operationPut),
  swap: optionNames<SwapOptions>(swap),
  lock: optionNames<LockOptions>(lock),
  withLock: optionNames<WithLockOptions>(withLock),
  campaign: optionNames<CampaignOptions>(campaign),
  locks: optionNames<LocksOptions>(locks),
  session: optionNames<SessionOptions>(session),
  watch: optionNames<WatchOptions>(watch),
  observe: optionNames<ObserveOptions>(observe),
  table: optionNames<TableOptions>(table),
  store: optionNames<StoreOptions>(store),
  entries: optionNames<EntriesOptions>(entries),
  connect: optionNames<EdgeOptions>(edge),
  map: optionNames<AnyMapOptions>(anyMap),
  subscribe: optionNames<MapSubscribeOptions>(subscribe),
  notices: optionNames<NoticeOptions>(notices),
  verify: optionNames<VerifyOptions>(verify),
  saveBackup: optionNames<SaveOptions>(saveBackup),
};

/** Kinds that no call is named for. */
const SHARED: ReadonlySet<KindOfCall> = new Set<KindOfCall>(['call', 'read', 'write', 'swap']);
/** What some call takes. */
const OF_ANY: OptionNames = new Set([
  ...Object.values(KNOWN).flatMap((names) => [...names]),
  ...Object.keys(tree),
]);

/**
 * @param kind undefined where calls of several kinds come by: then it is what any of them takes
 * @throws HoldfastError `invalid-argument` for a name that the call does not take
 */
export function knownOptions(kind: KindOfCall | undefined, options: object | undefined): void {
  if (options === undefined) return;
  const what = kind === undefined || SHARED.has(kind) ? 'options' : kind;
  refuseUnknownOptions(what, options, kind === undefined ? OF_ANY : KNOWN[kind]);
  if ('signal' in options) checkSignal(options.signal);
}

/** A controller in place of its signal is the usual mistake. */
function checkSignal(signal: unknown): void {
  if (signal === undefined) return;
  const isSignal = typeof signal === 'object' && signal !== null && 'addEventListener' in signal;
  if (!isSignal) throw new HoldfastError('invalid-argument', 'signal takes an AbortSignal');
}
