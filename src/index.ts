/**
 * Holdfast: Raft consensus in your process, driving a locking registry over the log store you
 * choose.
 *
 * ```ts
 * import { Holdfast } from 'holdfast';
 * import { SqliteLogStore } from 'holdfast/adapters/sqlite';
 *
 * await using node = await Holdfast.start({
 *   id: 'a',
 *   listen: '10.0.0.1:7400',
 *   peers: { a: '10.0.0.1:7400', b: '10.0.0.2:7400', c: '10.0.0.3:7400' },
 *   store: new SqliteLogStore({ path: 'data/a.db' }),
 * });
 * await node.registry.put('config/rate', '100', { ttl: '10m' });
 * await node.registry.withLock('jobs/nightly', { wait: '5s' }, async ({ token, signal }) => {
 *   await runNightlyJob({ fencingToken: token, signal });
 * });
 * ```
 */
export * from './embed/index.ts';
export * from './client/index.ts';
export { DEFAULT_SERVICE_LIMITS, type ServerTls, type ServiceLimits } from './server/index.ts';
export {
  defaultSettings,
  type ApplyContext,
  type Environment,
  type LeaderSide,
  type LogLevel,
  type NodeSettings,
  type NodeStatus,
  type StateMachine,
} from './node/index.ts';
export { defaultLimits, type RegistryLimits } from './registry/index.ts';

/*
 * Log stores. `MemoryLogStore` is one. For one of your own, extend `BackedLogStore` over
 * - a `BlockMedium` in a `BlockBackend`: bytes under keys, which is the least to write;
 * - a `LogBackend`: entries and snapshots in a form of your own;
 * or implement `LogStore` itself. `holdfast/conformance` checks the result.
 */
export {
  BackedLogStore,
  BlockBackend,
  corruptData,
  decodeRecord,
  encodeRecord,
  lockDirectory,
  makeDirectory,
  MemoryLogStore,
  syncDirectory,
  unusablePlace,
  verifyBlock,
  verifyChunk,
  verifyRecord,
  type Block,
  type BlockChange,
  type BlockMedium,
  type CorruptionDetails,
  type DirectoryLock,
  type KeyRange,
  type LogBackend,
  type LogChange,
  type LogDump,
  type LogStore,
  type OpenOptions,
  type RecordName,
  type RecoveredLog,
  type SnapshotReader,
  type StoredRecord,
  type StoredSnapshot,
  type StoredState,
  type WriteBatch,
} from './log-store/index.ts';
export type {
  Entry,
  EntryType,
  LogIndex,
  Member,
  Membership,
  Metadata,
  NodeId,
  SnapshotMeta,
  Term,
  TermRun,
} from './raft/index.ts';
