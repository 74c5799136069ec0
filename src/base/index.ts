export type { Brand } from './brand.ts';
export {
  bytesToByteString,
  byteStringToBytes,
  byteStringToUtf8,
  utf8ToByteString,
} from './byte-strings.ts';
export * from './bytes.ts';
export * from './errors.ts';
export { IdTable } from './id-table.ts';
export * from './malformed-bytes.ts';
export * from './options.ts';
export { brieflyUsedBytes } from './slab.ts';
export * from './unreachable.ts';
