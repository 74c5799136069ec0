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
export type { ServerTls, ServiceLimits } from './server/index.ts';
export type {
  ApplyContext,
  Environment,
  LeaderSide,
  LogLevel,
  NodeSettings,
  NodeStatus,
  StateMachine,
} from './node/index.ts';
export { defaultSettings } from './node/index.ts';
export { defaultLimits, type RegistryLimits } from './registry/index.ts';
export { MemoryLogStore, type LogStore } from './log-store/index.ts';
