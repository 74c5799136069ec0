/**
 * The network client.
 *
 * ```ts
 * import { connect } from 'holdfast/client';
 *
 * await using client = await connect({ endpoints: ['10.0.0.1:7400', '10.0.0.2:7400'] });
 * await client.registry.put('config/rate', '100');
 * ```
 */
export { connect, statusOf, type HoldfastClient, type NewMember } from './connect.ts';
export type { EndpointStatus } from './probe.ts';
export { inspectBackup, saveBackup, type BackupReport, type SaveOptions } from './backup-file.ts';
export type { BackupMetadata } from './backup-format.ts';
export type { BackupOptions } from './backup-stream.ts';
export { parseDuration } from './duration.ts';
export { systemClientEnvironment, type ClientEnvironment } from './environment.ts';
export type { ClientTls, ConnectOptions, RegistryOptions } from './options.ts';
export * from './election-types.ts';
export * from './registry.ts';
export { codecs, type Codec } from './codecs.ts';
export type {
  TypedExpected,
  TypedListOptions,
  TypedPage,
  TypedRecord,
  TypedRegistry,
  TypedSwapOutcome,
  TypedWatchEvent,
} from './typed-registry.ts';
export { compare } from './compares.ts';
export { op } from './operations.ts';
export { branches } from './transaction.ts';
export type * from './transaction-types.ts';
export type * from './verify-types.ts';
export { HoldfastError, type ErrorCode, type Outcome, type ValueIssue } from '../base/index.ts';
export type { Consistency, MemberStatus, StatusReport } from '../protocol/index.ts';
