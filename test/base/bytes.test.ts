import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ByteReader,
  ByteWriter,
  MalformedBytesError,
  byteStringToBytes,
  byteStringToUtf8,
  bytesToByteString,
  utf8ToByteString,
} from '../../src/base/index.ts';

const EDGES = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];

test('varints survive the round trip at every edge', () => {
  for (const value of EDGES) {
    const reader = new ByteReader(new ByteWriter().varint(value).finish());
    assert.equal(reader.varint(), value);
    reader.end();
  }
});

test('any sequence of fields reads back as written', () => {
  const field = fc.oneof(
    fc.record({ kind: fc.constant('varint' as const), value: fc.maxSafeNat() }),
    fc.record({ kind: fc.constant('f64' as const), value: fc.double({ noNaN: true }) }),
    fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 600 }) }),
    fc.record({ kind: fc.constant('text' as const), value: fc.string({ unit: 'binary' }) }),
    fc.record({ kind: fc.constant('boolean' as const), value: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      const writer = new ByteWriter(1);
      for (const one of fields) {
        if (one.kind === 'varint') writer.varint(one.value);
        else if (one.kind === 'f64') writer.f64(one.value);
        else if (one.kind === 'bytes') writer.bytes(one.value);
        else if (one.kind === 'text') writer.text(one.value);
        else writer.boolean(one.value);
      }
      const reader = new ByteReader(writer.finish());
      const read = fields.map((one) => reader[one.kind]());
      reader.end();
      assert.deepEqual(
        read,
        fields.map((one) => one.value),
      );
    }),
  );
});

test('every truncation is refused, never read past', () => {
  const whole = new ByteWriter().varint(300).text('grüße').f64(1.5).u32(7).finish();
  for (let length = 0; length < whole.length; length++) {
    const reader = new ByteReader(whole.subarray(0, length));
    assert.throws(() => {
      reader.varint();
      reader.text();
      reader.f64();
      reader.u32();
    }, MalformedBytesError);
  }
});

test('impossible values are refused', () => {
  const tooBig = new Uint8Array(8).fill(0xff);
  assert.throws(() => new ByteReader(tooBig).varint(), MalformedBytesError);
  assert.throws(() => new ByteReader(Uint8Array.of(0x80, 0x80)).varint(), MalformedBytesError);
  assert.throws(() => new ByteReader(Uint8Array.of(2)).boolean(), MalformedBytesError);
  assert.throws(() => new ByteReader(Uint8Array.of(1, 0xff)).text(), MalformedBytesError);
  assert.throws(() => new ByteReader(Uint8Array.of(1)).end(), MalformedBytesError);
});

test('byte strings order as bytes and carry any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      const [left, right] = [bytesToByteString(a), bytesToByteString(b)];
      assert.deepEqual(byteStringToBytes(left), a);
      const order = Buffer.compare(a, b);
      assert.equal(left < right, order < 0);
      assert.equal(left === right, order === 0);
    }),
  );
});

test('UTF-8 agrees with the platform encoder; a lone surrogate becomes U+FFFD', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const expected = Buffer.from(text, 'utf8').toString('latin1');
      assert.equal(utf8ToByteString(text), expected);
      assert.equal(byteStringToUtf8(expected), Buffer.from(expected, 'latin1').toString('utf8'));
    }),
  );
  assert.equal(byteStringToUtf8(utf8ToByteString('a\ud800b')), 'a\ufffdb');
});
