export * from './contract.ts';
export type { LogBackend, LogChange, StoredState } from './backend.ts';
export { BackedLogStore } from './backed-log-store.ts';
export {
  decodeRecord, decodeRecords, encodeRecord, encodeRecords, joinRecords, RECORD_OVERHEAD_BYTES,
  RecordReader,
} from './entry-codec.ts';
export { decodeSnapshotMeta, encodeSnapshotMeta } from './record-codec.ts';
export type { StoredSnapshot } from './record-codec.ts';
export { MemoryLogStore } from './memory.ts';
