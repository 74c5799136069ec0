/**
 * A *byte string* is a JavaScript string whose every char code is one byte (0-255): hashable, and
 * its order under `<` is byte order.
 */
import { MalformedBytesError } from './malformed-bytes.ts';

/** Of Node's buffers, on any `Uint8Array`: the same as the loops below, in native code. */
interface NativeLatin1 {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number;
}

const native = (globalThis as { readonly Buffer?: { readonly prototype: NativeLatin1 } }).Buffer
  ?.prototype;
/** Shorter than this, a call out of JavaScript costs more than the loop. */
const MIN_NATIVE = 16;
const CHUNK = 4096;

/** One char per byte, of `bytes` from `start` to before `end`. */
export function bytesToByteString(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): string {
  if (native !== undefined) return native.latin1Slice.call(bytes, start, end);
  let text = '';
  for (let at = start; at < end; at += CHUNK) {
    const part = bytes.subarray(at, Math.min(at + CHUNK, end));
    text += String.fromCharCode.apply(null, part as unknown as number[]);
  }
  return text;
}

/** Writes one byte per char from `at` on, where there is room for all of them. */
export function writeBytes(text: string, bytes: Uint8Array, at: number): void {
  if (native !== undefined && text.length >= MIN_NATIVE) {
    native.latin1Write.call(bytes, text, at, text.length);
    return;
  }
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

/** One byte per char; the inverse of `bytesToByteString`. */
export function byteStringToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  writeBytes(text, bytes, 0);
  return bytes;
}

/** UTF-8 encodes any string into a byte string; a lone surrogate becomes U+FFFD. */
export function utf8ToByteString(text: string): string {
  let ascii = true;
  for (let i = 0; i < text.length && ascii; i++) ascii = text.charCodeAt(i) < 0x80;
  if (ascii) return text;
  // encodeURIComponent is the language's own UTF-8 encoder; pure rooms have no TextEncoder.
  const wellFormed = text.replace(/[\uD800-\uDFFF]/gu, '\uFFFD');
  return encodeURIComponent(wellFormed).replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Decodes UTF-8 held in a byte string; throws `MalformedBytesError` when it is not UTF-8. */
export function byteStringToUtf8(text: string): string {
  let ascii = true;
  for (let i = 0; i < text.length && ascii; i++) ascii = text.charCodeAt(i) < 0x80;
  if (ascii) return text;
  let escaped = '';
  for (let i = 0; i < text.length; i++) {
    escaped += `%${text.charCodeAt(i).toString(16).padStart(2, '0')}`;
  }
  try {
    return decodeURIComponent(escaped);
  } catch {
    throw new MalformedBytesError('text is not UTF-8');
  }
}
