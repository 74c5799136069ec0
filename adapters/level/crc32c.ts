/**
 * CRC-32C (Castagnoli), as LevelDB's files use it: eight bytes a step, each looked up in a table of
 * its own place ("slicing by 8"), some 2 GB a second.
 */

const POLYNOMIAL = 0x82f63b78;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) * POLYNOMIAL);
  return value;
});

/** What a byte adds when another one stands behind those of `table`. */
function oneFurther(table: Int32Array): Int32Array {
  return table.map((value) => (value >>> 8) ^ TABLE[value & 0xff]!);
}

const BEFORE_1 = oneFurther(TABLE);
const BEFORE_2 = oneFurther(BEFORE_1);
const BEFORE_3 = oneFurther(BEFORE_2);
const BEFORE_4 = oneFurther(BEFORE_3);
const BEFORE_5 = oneFurther(BEFORE_4);
const BEFORE_6 = oneFurther(BEFORE_5);
const BEFORE_7 = oneFurther(BEFORE_6);

export function crc32c(bytes: Uint8Array): number {
  let value = -1;
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    value =
      BEFORE_7[(value ^ bytes[at]!) & 0xff]! ^
      BEFORE_6[((value >>> 8) ^ bytes[at + 1]!) & 0xff]! ^
      BEFORE_5[((value >>> 16) ^ bytes[at + 2]!) & 0xff]! ^
      BEFORE_4[(value >>> 24) ^ bytes[at + 3]!]! ^
      BEFORE_3[bytes[at + 4]!]! ^
      BEFORE_2[bytes[at + 5]!]! ^
      BEFORE_1[bytes[at + 6]!]! ^
      TABLE[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) value = (value >>> 8) ^ TABLE[(value ^ bytes[at]!) & 0xff]!;
  return ~value >>> 0;
}

/** LevelDB stores checksums rotated and offset, so that a checksum of checksums is no trap. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
