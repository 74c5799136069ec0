/** Whether single stored values are undamaged, for a medium that must tell where damage lies. */
import { nextEntry } from './block-log.ts';
import type { RecordName } from './block-medium.ts';
import { RecordReader } from './entry-codec.ts';
import { readingRecord } from './errors.ts';
import {
  decodeChunk,
  decodeHead,
  decodeIdentity,
  decodeMetadata,
  decodeStoredSnapshot,
} from './record-codec.ts';
import type { CorruptionDetails } from './contract.ts';

const DECODERS: Readonly<Record<RecordName, (bytes: Uint8Array) => unknown>> = {
  identity: decodeIdentity,
  metadata: decodeMetadata,
  head: decodeHead,
  snapshot: decodeStoredSnapshot,
};

/** As what kind of record damage to each is reported. */
export const REPORTED_AS: Readonly<Record<RecordName, CorruptionDetails['record']>> = {
  identity: 'identity',
  metadata: 'metadata',
  head: 'entry',
  snapshot: 'snapshot',
};

/** Throws `corrupt-data` when the record is damaged. */
export function verifyRecord(name: RecordName, bytes: Uint8Array): void {
  readingRecord(REPORTED_AS[name], () => DECODERS[name](bytes));
}

/** Throws `corrupt-data` with the index of the first damaged entry. */
export function verifyBlock(first: number, bytes: Uint8Array): void {
  const reader = new RecordReader(bytes);
  for (let index = first; !reader.done; index++) nextEntry(reader, index);
}

/** Throws `corrupt-data` when the chunk is damaged. */
export function verifyChunk(id: number, position: number, bytes: Uint8Array): void {
  readingRecord('snapshot', () => decodeChunk(id, position, bytes));
}
