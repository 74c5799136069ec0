import { crc32 as nativeCrc32 } from 'node:zlib';

/** Below this many bytes a table loop beats the call into native code. */
const NATIVE_FROM_BYTES = 64;

function buildTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) {
      value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    }
    table[byte] = value >>> 0;
  }
  return table;
}

const TABLE = buildTable();

/** CRC-32 (IEEE) of `bytes` between two offsets, going on from the checksum of what precedes. */
export function crc32(bytes: Uint8Array, from: number, to: number, before = 0): number {
  if (to - from >= NATIVE_FROM_BYTES) {
    const isWhole = from === 0 && to === bytes.length;
    return nativeCrc32(isWhole ? bytes : bytes.subarray(from, to), before);
  }
  let value = ~before;
  for (let at = from; at < to; at++) {
    value = TABLE[(value ^ bytes[at]!) & 0xff]! ^ (value >>> 8);
  }
  return ~value >>> 0;
}
