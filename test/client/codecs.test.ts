import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { codecs, HoldfastError, type Codec, type ErrorCode } from '../../src/client/index.ts';

function refusal(work: () => unknown): HoldfastError {
  try {
    work();
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  return assert.fail('it was not refused');
}

function code(work: () => unknown): ErrorCode {
  return refusal(work).code;
}

function same<T>(codec: Codec<T>, value: T): void {
  assert.deepEqual(codec.decode(codec.encode(value)), value);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const when = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});
const user = z.object({
  name: z.string().min(1),
  age: z.number().int(),
  at: when,
  note: z.string().optional(),
});

test('[API-90] what a codec encodes it decodes to the same', () => {
  same(codecs.bytes, new Uint8Array([0, 255, 128]));
  same(codecs.text, '\ufeffüñí 🦦');
  for (const json of ['text', 0, -1.5, true, null, [1, ['a']], { a: { b: [] } }]) {
    same(codecs.json, json);
  }
  const ada = { name: 'Ada', age: 36, at: new Date(0) };
  same(codecs.zod(user), ada);
  assert.deepEqual(JSON.parse(codecs.text.decode(codecs.zod(user).encode(ada))), {
    name: 'Ada',
    age: 36,
    at: '1970-01-01T00:00:00.000Z',
  });
  // What is undefined is left out, as JSON has it.
  same(codecs.zod(user), { ...codecs.zod(user).decode(codecs.zod(user).encode(ada)) });
  const sent = codecs.zod(user).encode({ ...ada, note: undefined });
  assert.deepEqual(codecs.zod(user).decode(sent), ada);
});

test("[API-91] a value that breaks a schema is refused both ways, with zod's issues", () => {
  const codec = codecs.zod(user);
  const wrong = { name: '', age: 'old' as unknown as number, at: new Date(0) };
  const stored = bytesOf('{"name":"","age":"old","at":"1970-01-01T00:00:00.000Z"}');
  for (const error of [refusal(() => codec.encode(wrong)), refusal(() => codec.decode(stored))]) {
    assert.equal(error.code, 'invalid-value');
    assert.equal(error.outcome, 'not-applied');
    assert.deepEqual(
      error.issues?.map(({ path }) => path),
      [['name'], ['age']],
    );
    assert.match(error.message, /name: .*; age: /);
    assert.ok(error.cause instanceof z.ZodError);
  }
  const more = refusal(() => codec.decode(bytesOf('{"name":"Ada"')));
  assert.match(more.message, /not JSON/);
});

test('[API-91] what bytes, text or JSON cannot say is refused both ways', () => {
  const cases: readonly (readonly [() => unknown, RegExp])[] = [
    [() => codecs.bytes.encode('text' as unknown as Uint8Array), /must be a Uint8Array/],
    [() => codecs.text.encode(7 as unknown as string), /must be text/],
    [() => codecs.text.encode('\ud800'), /surrogate/],
    [() => codecs.text.decode(new Uint8Array([0xff])), /not UTF-8/],
    [() => codecs.json.decode(new Uint8Array([0xff])), /not UTF-8/],
    [() => codecs.json.decode(bytesOf('{')), /not JSON/],
    [() => codecs.json.encode(Number.NaN), /no JSON number/],
    [() => codecs.json.encode({ a: undefined } as unknown as null), /'a' is undefined/],
    [() => codecs.json.encode(new Date() as unknown as null), /no plain object but Date/],
    [() => codecs.zod(z.any()).encode(new Map()), /no plain object but Map/],
    [() => codecs.zod(z.any()).encode([undefined]), /undefined/],
  ];
  for (const [work, message] of cases) {
    const error = refusal(work);
    assert.equal(error.code, 'invalid-value');
    assert.match(error.message, message);
    assert.deepEqual(error.issues, [{ path: [], message: error.message }]);
  }
});

test('[API-91] a schema without a way back, or that waits, is refused as such', () => {
  const length = z.string().transform((text) => text.length);
  assert.equal(
    code(() => codecs.zod(length).encode(3)),
    'invalid-argument',
  );
  const slow = codecs.zod(z.string().refine(async (text) => Promise.resolve(text !== '')));
  assert.equal(
    code(() => slow.encode('a')),
    'invalid-argument',
  );
  assert.equal(
    code(() => slow.decode(bytesOf('"a"'))),
    'invalid-argument',
  );
});

/** Whether a codec takes values of this type: compiled, not run. */
type Takes<C, V> = C extends Codec<infer T> ? (V extends T ? true : false) : never;

test('[API-90] codecs carry the type of their values', () => {
  const codec = codecs.zod(user);
  const name: string = codec.decode(codec.encode({ name: 'Ada', age: 36, at: new Date(0) })).name;
  assert.equal(name, 'Ada');
  const types: [
    Takes<typeof codec, { name: string; age: number; at: Date }>,
    Takes<typeof codec, { name: string; age: number; at: string }>,
    Takes<typeof codecs.text, number>,
    Takes<typeof codecs.json, { a: (string | null)[] }>,
    Takes<typeof codecs.json, { at: Date }>,
  ] = [true, false, false, true, false];
  assert.equal(types.length, 5);
});
