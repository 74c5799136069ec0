/** Frames and the hello that opens every connection. */
export * from './address.ts';
export * from './client-hello.ts';
export * from './connection.ts';
export * from './crc32.ts';
export * from './frame-decoder.ts';
export * from './frame-writer.ts';
export {
  encodeFrame,
  FIRST_FREE_KIND,
  FRAME_HEADER_BYTES,
  FrameKind,
  WireError,
  type Frame,
  type WireRule,
} from './frame.ts';
export * from './hello.ts';
export * from './outgoing-batch.ts';
