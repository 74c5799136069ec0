export * from './contract.ts';
export type { LogBackend, LogChange, StoredState } from './backend.ts';
export { BlockBackend } from './block-backend.ts';
export type {
  Block,
  BlockChange,
  BlockMedium,
  KeyRange,
  RecordName,
  StoredRecord,
} from './block-medium.ts';
export { verifyBlock, verifyChunk, verifyRecord } from './block-verify.ts';
export { makeDirectory, syncDirectory, unusablePlace } from './directory.ts';
export { lockDirectory, type DirectoryLock } from './directory-lock.ts';
export { corruptData, messageOf } from './errors.ts';
export { BackedLogStore } from './backed-log-store.ts';
export {
  decodeRecord,
  decodeRecords,
  encodeRecord,
  recordLength,
  recordRuns,
  encodeRecords,
  joinRecords,
  RECORD_OVERHEAD_BYTES,
  RecordReader,
} from './entry-codec.ts';
export { decodeHead, decodeSnapshotMeta, encodeSnapshotMeta } from './record-codec.ts';
export type { StoredSnapshot } from './record-codec.ts';
export { MemoryLogStore } from './memory.ts';
