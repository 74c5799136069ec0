import { MalformedBytesError, type ByteReader, type ByteWriter } from '../../base/index.ts';
import type { RegistryLimits } from '../types.ts';

/** In the log and in snapshots for ever: a limit's place, add at the end only. */
const NAMES = [
  'maxKeyBytes',
  'maxValueBytes',
  'maxLabelBytes',
  'maxSessions',
  'maxSessionEdges',
  'maxTableRecords',
  'maxMapEntries',
  'minSessionTtlMs',
  'maxSessionTtlMs',
  'maxTtlMs',
  'maxTxnOps',
  'maxTxnDepth',
  'maxTxnDeletes',
  'maxTxnScanned',
  'maxTxnReadBytes',
  'maxLockDelayMs',
  'maxTreeLockMs',
  'maxWindow',
  'maxWindowBytes',
  'historyRevisions',
  'historyMs',
  'historyBytes',
] as const satisfies readonly (keyof RegistryLimits)[];

/** How many, then each; whole numbers, as `resolveLimits` gives them. */
export function writeLimits(writer: ByteWriter, limits: RegistryLimits): void {
  writer.varint(NAMES.length);
  for (const name of NAMES) writer.varint(limits[name]);
}

/** Whether they make sense is for `limitsFault` to say. */
export function readLimits(reader: ByteReader): RegistryLimits {
  const count = reader.varint();
  if (count !== NAMES.length) {
    throw new MalformedBytesError(`${count} limits, not ${NAMES.length}`);
  }
  // Complete, or it would not be a `RegistryLimits` to the compiler.
  const limits = {} as Record<(typeof NAMES)[number], number>;
  for (const name of NAMES) limits[name] = reader.varint();
  return limits;
}
