/** How values of one type are kept as the registry's bytes. */
import { z } from 'zod';
import { HoldfastError, type ValueIssue } from '../base/index.ts';
import { describeIssues } from '../protocol/index.ts';
import { jsonText } from './json-text.ts';
import type { JsonValue } from './key-types.ts';

/**
 * Both throw `HoldfastError` `invalid-value` for what they cannot carry: encoding before anything
 * is sent, decoding without harm to anything else.
 */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

interface Codecs {
  /** The bytes themselves. */
  readonly bytes: Codec<Uint8Array>;
  /** UTF-8; text with half a surrogate pair is refused, and so are bytes that are not UTF-8. */
  readonly text: Codec<string>;
  /** JSON, also for text, which stands in quotes: what is read is of the type that was put. */
  readonly json: Codec<JsonValue>;
  /**
   * Checked by a zod schema on the way in and on the way out; JSON underneath. An error's `issues`
   * are zod's. What JSON has no word for needs a way there and back, like `z.codec` has; a one-way
   * `transform` or a check that waits is refused with `invalid-argument`. A property that is
   * `undefined` is left out.
   * @example
   * const user = codecs.zod(z.object({ name: z.string(), born: z.number().int() }));
   */
  zod<T>(schema: z.core.$ZodType<T>): Codec<T>;
}

const LONE_SURROGATE = /\p{Surrogate}/u;
const encoder = new TextEncoder();
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function invalid(message: string, cause?: unknown): HoldfastError {
  const issues: ValueIssue[] = [{ path: [], message }];
  return new HoldfastError('invalid-value', message, { issues, cause });
}

function textIn(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw invalid('the value is not UTF-8 text', cause);
  }
}

function jsonIn(bytes: Uint8Array): unknown {
  const text = textIn(bytes);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`the value is not JSON (${reasonIn(cause)})`, cause);
  }
}

function jsonBytes(value: unknown, undefinedIsAbsent: boolean): Uint8Array {
  try {
    return encoder.encode(jsonText(value, undefinedIsAbsent));
  } catch (cause) {
    throw invalid(`the value is something JSON cannot say: ${reasonIn(cause)}`, cause);
  }
}

const bytesCodec: Codec<Uint8Array> = {
  encode: (value) => {
    if (value instanceof Uint8Array) return value;
    throw invalid(`the value is a ${typeof value}: it must be a Uint8Array`);
  },
  decode: (bytes) => bytes,
};

const textCodec: Codec<string> = {
  encode: (value) => {
    if (typeof value !== 'string') throw invalid(`the value is a ${typeof value}: it must be text`);
    if (LONE_SURROGATE.test(value)) throw invalid('half of a surrogate pair has no UTF-8');
    return encoder.encode(value);
  },
  decode: textIn,
};

const jsonCodec: Codec<JsonValue> = {
  encode: (value) => jsonBytes(value, false),
  // Whatever JSON text says is a JSON value.
  decode: (bytes) => jsonIn(bytes) as JsonValue,
};

/** What a schema says, or its issues as an error. */
function checked<T>(check: () => z.ZodSafeParseResult<T>): T {
  let result: z.ZodSafeParseResult<T>;
  try {
    result = check();
  } catch (cause) {
    // A schema that waits, or has no way back: no value will ever pass.
    const message = `this schema cannot be used for values: ${reasonIn(cause)}`;
    throw new HoldfastError('invalid-argument', message, { cause });
  }
  if (result.success) return result.data;
  const { issues } = result.error;
  throw new HoldfastError('invalid-value', describeIssues(result.error), {
    issues,
    cause: result.error,
  });
}

function reasonIn(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export const codecs: Codecs = {
  bytes: bytesCodec,
  text: textCodec,
  json: jsonCodec,
  zod: (schema) => ({
    encode: (value) =>
      jsonBytes(
        checked(() => z.safeEncode(schema, value)),
        true,
      ),
    decode: (bytes) => {
      const json = jsonIn(bytes);
      return checked(() => z.safeParse(schema, json));
    },
  }),
};
