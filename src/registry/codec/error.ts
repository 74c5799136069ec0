import { MalformedBytesError, type ByteReader, type ByteWriter } from '../../base/index.ts';
import type { RegistryErrorCode } from '../types.ts';

/** A refusal, as results and answers carry it. */
export interface RegistryRefusal {
  readonly type: 'error';
  readonly code: RegistryErrorCode;
  readonly message: string;
}

/** A code's number is its place here: add at the end only. */
const CODES: readonly RegistryErrorCode[] = [
  'invalid-command',
  'invalid-key',
  'invalid-argument',
  'too-large',
  'locked',
  'not-held',
  'not-found',
  'session-expired',
  'sequence-too-old',
  'compacted',
  'overloaded',
  'lock-conflict',
  'no-such-table',
  'no-such-map',
  'map-conflict',
];

export function writeRefusal(writer: ByteWriter, refusal: RegistryRefusal): void {
  writer.u8(CODES.indexOf(refusal.code)).byteString(refusal.message);
}

export function readRefusal(reader: ByteReader): RegistryRefusal {
  const number = reader.u8();
  const code = CODES[number];
  if (code === undefined) throw new MalformedBytesError(`no error code has the number ${number}`);
  return { type: 'error', code, message: reader.byteString() };
}
