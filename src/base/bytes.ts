/**
 * Reading and writing of binary records, shared by every codec. Little-endian. Pure: no `Buffer`.
 *
 * Integers up to 2^53 - 1 are LEB128 varints. A *byte string* is a JavaScript string whose every
 * char code is one byte (0-255): hashable, and its order under `<` is byte order.
 */

const INITIAL_CAPACITY = 256;
const TWO_POW_32 = 2 ** 32;

/** Appends fields to a growing buffer. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity: number = INITIAL_CAPACITY) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that can be written before the buffer has to grow. */
  get room(): number {
    return this.#bytes.length - this.#length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  f64(value: number): this {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
    return this;
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): this {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = rest < TWO_POW_32 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
    return this;
  }

  boolean(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  /** The bytes as they are, without a length. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** A varint length, then the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes);
  }

  /** A byte string: a varint length, then one byte per char. */
  byteString(text: string): this {
    this.varint(text.length);
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i);
    return this;
  }

  /** Any string, as UTF-8. */
  text(text: string): this {
    return this.byteString(utf8ToByteString(text));
  }

  /** What was written, as a view; later writes may not change it, a `reset` may. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** As `finish`, of what was written from here on. */
  finishFrom(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#length);
  }

  /** Starts over in the same buffer: views handed out before become invalid. */
  reset(): this {
    this.#length = 0;
    return this;
  }
}

/** Thrown by `ByteReader` when the bytes end too early or hold an impossible value. */
export class MalformedBytesError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedBytesError';
  }
}

/** Reads fields in the order they were written. Byte fields are views, not copies. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  #take(count: number): number {
    const at = this.#offset;
    if (count > this.#bytes.length - at) {
      throw new MalformedBytesError(`${count} bytes wanted at ${at}, ${this.remaining} left`);
    }
    this.#offset = at + count;
    return at;
  }

  u8(): number {
    const at = this.#take(1);
    return this.#bytes[at]!;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new MalformedBytesError('varint above 2^53 - 1');
  }

  boolean(): boolean {
    const byte = this.u8();
    if (byte > 1) throw new MalformedBytesError(`boolean of ${byte}`);
    return byte === 1;
  }

  raw(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  bytes(): Uint8Array {
    return this.raw(this.varint());
  }

  byteString(): string {
    return bytesToByteString(this.bytes());
  }

  text(): string {
    return byteStringToUtf8(this.byteString());
  }

  /** Fails unless every byte was read. */
  end(): void {
    if (this.remaining > 0) throw new MalformedBytesError(`${this.remaining} bytes left over`);
  }
}

const CHUNK = 4096;

/** One char per byte. */
export function bytesToByteString(bytes: Uint8Array): string {
  if (bytes.length <= CHUNK) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const part = bytes.subarray(at, at + CHUNK);
    text += String.fromCharCode.apply(null, part as unknown as number[]);
  }
  return text;
}

/** One byte per char; the inverse of `bytesToByteString`. */
export function byteStringToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
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
