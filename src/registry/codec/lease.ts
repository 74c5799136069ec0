import { ByteWriter, MalformedBytesError } from '../../base/index.ts';
import type { LeaseAnswer, LeaseQuery, SessionId } from '../types.ts';
import { openReader, readCount, writeVersion } from './format.ts';

const KEEP_ALIVE = 1;

/** One list of varints behind a tag: all that questions and answers about leases hold. */
function encodeList(numbers: readonly number[]): Uint8Array {
  const writer = new ByteWriter(16 + numbers.length * 8);
  writeVersion(writer);
  writer.u8(KEEP_ALIVE).varint(numbers.length);
  for (const number of numbers) writer.varint(number);
  return writer.finish();
}

function decodeList(bytes: Uint8Array, what: string): number[] {
  const reader = openReader(bytes, what);
  const tag = reader.u8();
  if (tag !== KEEP_ALIVE) throw new MalformedBytesError(`no ${what} has the number ${tag}`);
  const numbers: number[] = [];
  for (let left = readCount(reader, 1); left > 0; left--) numbers.push(reader.varint());
  reader.end();
  return numbers;
}

/** Encodes what the leader's side of the registry takes. */
export function encodeLeaseQuery(query: LeaseQuery): Uint8Array {
  return encodeList(query.sessions);
}

/** Throws `MalformedBytesError` for anything `encodeLeaseQuery` cannot have made. */
export function decodeLeaseQuery(bytes: Uint8Array): LeaseQuery {
  return { type: 'keepAlive', sessions: decodeList(bytes, 'lease query') as SessionId[] };
}

/** Encodes what the leader's side of the registry returns. */
export function encodeLeaseAnswer(answer: LeaseAnswer): Uint8Array {
  return encodeList(answer.ttlMs);
}

/** Throws `MalformedBytesError` for anything `encodeLeaseAnswer` cannot have made. */
export function decodeLeaseAnswer(bytes: Uint8Array): LeaseAnswer {
  return { type: 'keepAlive', ttlMs: decodeList(bytes, 'lease answer') };
}
