/** What results of the registry say in a history. */
import type { RegistryRecord } from '../../src/client/index.ts';
import type { Answer } from './workload.ts';

/** Of a key that was read: its value as text, null when there is none. */
export function readAnswer(record: RegistryRecord | undefined): Answer {
  if (record === undefined) return { output: null };
  return { output: record.text(), revision: record.modRevision };
}

/** Of a key that was written. */
export function writtenAnswer({ modRevision }: RegistryRecord): Answer {
  return { output: null, revision: modRevision };
}
