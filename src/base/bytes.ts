/**
 * Reading and writing of binary records, shared by every codec. Little-endian; integers up to
 * 2^53 - 1 are LEB128 varints; a *byte string* has a char per byte, see `byte-strings.ts`.
 */
import {
  byteStringToUtf8,
  bytesToByteString,
  utf8ToByteString,
  writeBytes,
} from './byte-strings.ts';
import { MalformedBytesError } from './malformed-bytes.ts';

const INITIAL_CAPACITY = 256;
const TWO_POW_32 = 2 ** 32;

/** One `f64` on its way in or out; no view is needed for each buffer then. */
const DOUBLE = new DataView(new ArrayBuffer(8));

/** Appends fields to a growing buffer. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** `memory`: zeroed, to begin with; by default its own. */
  constructor(capacity: number = INITIAL_CAPACITY, memory: Uint8Array = new Uint8Array(capacity)) {
    this.#bytes = memory;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** What was written lies at its beginning; what follows means nothing. Writing may replace it. */
  get memory(): Uint8Array {
    return this.#bytes;
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
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    const bytes = this.#bytes;
    const at = this.#length;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.#length = at + 4;
    return this;
  }

  f64(value: number): this {
    this.#reserve(8);
    DOUBLE.setFloat64(0, value, true);
    for (let i = 0; i < 8; i++) this.#bytes[this.#length++] = DOUBLE.getUint8(i);
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
    writeBytes(text, this.#bytes, this.#length);
    this.#length += text.length;
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

  /** Takes back what was written beyond a length: views of that part become invalid. */
  cutTo(length: number): void {
    this.#length = length;
  }

  /** Starts over in the same buffer: views handed out before become invalid. */
  reset(): this {
    this.#length = 0;
    return this;
  }
}

/** Reads fields in the order they were written. Byte fields are views, not copies. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
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
    const at = this.#take(4);
    const bytes = this.#bytes;
    const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    return (low | (bytes[at + 3]! << 24)) >>> 0;
  }

  f64(): number {
    const at = this.#take(8);
    for (let i = 0; i < 8; i++) DOUBLE.setUint8(i, this.#bytes[at + i]!);
    return DOUBLE.getFloat64(0, true);
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
    const length = this.varint();
    const at = this.#take(length);
    return bytesToByteString(this.#bytes, at, at + length);
  }

  text(): string {
    return byteStringToUtf8(this.byteString());
  }

  /** Fails unless every byte was read. */
  end(): void {
    if (this.remaining > 0) throw new MalformedBytesError(`${this.remaining} bytes left over`);
  }
}
