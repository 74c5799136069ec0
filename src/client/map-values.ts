/** Values of a map between what is put, the bytes that are stored, and what is read. */
import { z } from 'zod';
import { HoldfastError, type ValueIssue } from '../base/index.ts';
import { codecs, type Codec } from './codecs.ts';
import { jsonText } from './json-text.ts';

export interface ValueRules {
  readonly schema: z.core.$ZodType | undefined;
  readonly validate: ((value: never) => boolean) | undefined;
  readonly codec: Codec<unknown> | undefined;
}

export type Decoded<T> =
  | { readonly type: 'value'; readonly value: T }
  | { readonly type: 'invalid'; readonly issues: readonly ValueIssue[]; readonly cause: unknown };

const encoder = new TextEncoder();

/** A property that is undefined is left out, as schemas with optional properties want it. */
const json: Codec<unknown> = {
  encode: (value) => {
    try {
      return encoder.encode(jsonText(value, true));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new HoldfastError('invalid-value', `JSON cannot say it: ${why}`, { cause });
    }
  },
  decode: (bytes) => codecs.json.decode(bytes),
};

/** Carries and checks the values of one map. */
export class MapValues<Out, In> {
  readonly #schema: z.core.$ZodType | undefined;
  /** Written by users: it may return anything. */
  readonly #validate: ((value: unknown) => unknown) | undefined;
  readonly #codec: Codec<unknown>;

  /** That the rules are of these types is what `RegistryMaps.map` promises. */
  constructor({ schema, validate, codec }: ValueRules) {
    this.#schema = schema;
    this.#validate = validate as ((value: unknown) => unknown) | undefined;
    this.#codec = codec ?? json;
  }

  /**
   * The bytes to be stored, and what they will be read as.
   * @throws HoldfastError `invalid-value`, also for what would not come back from its bytes.
   */
  encode(value: In, what: string): { readonly bytes: Uint8Array; readonly value: Out } {
    this.accept(this.#check(value), what);
    let bytes: Uint8Array;
    try {
      bytes = this.#codec.encode(value);
    } catch (cause) {
      throw refusal(what, invalid(cause));
    }
    return { bytes, value: this.accept(this.decode(bytes), `${what}, as it would be read`) };
  }

  /** Never throws: whatever bytes there are, and whatever schema and codec do. */
  decode(bytes: Uint8Array): Decoded<Out> {
    let raw: unknown;
    try {
      raw = this.#codec.decode(bytes);
    } catch (cause) {
      return invalid(cause);
    }
    const checked = this.#check(raw);
    if (checked.type === 'value') deepFreeze(checked.value);
    return checked;
  }

  /** @throws HoldfastError `invalid-value` that says of what. */
  accept(decoded: Decoded<Out>, what: string): Out {
    if (decoded.type === 'invalid') throw refusal(what, decoded);
    return decoded.value;
  }

  #check(value: unknown): Decoded<Out> {
    try {
      if (this.#validate !== undefined && this.#validate(value) !== true) {
        return issue('the validate function of the map refuses it', undefined);
      }
      if (this.#schema === undefined) return { type: 'value', value: value as Out };
      const result = z.safeParse(this.#schema, value);
      if (result.success) return { type: 'value', value: result.data as Out };
      return { type: 'invalid', issues: result.error.issues, cause: result.error };
    } catch (cause) {
      return invalid(cause);
    }
  }
}

function invalid(cause: unknown): Extract<Decoded<never>, { type: 'invalid' }> {
  if (cause instanceof HoldfastError && cause.issues !== undefined) {
    return { type: 'invalid', issues: cause.issues, cause };
  }
  return issue(cause instanceof Error ? cause.message : String(cause), cause);
}

function issue(message: string, cause: unknown): Extract<Decoded<never>, { type: 'invalid' }> {
  return { type: 'invalid', issues: [{ path: [], message }], cause };
}

function refusal(
  what: string,
  { issues, cause }: Extract<Decoded<never>, { type: 'invalid' }>,
): HoldfastError {
  const rules = issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`,
  );
  return new HoldfastError('invalid-value', `${what}: ${rules.join('; ')}`, { issues, cause });
}

/** What is read is what everyone in the process reads: nobody may change it by accident. */
function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== null && prototype !== Object.prototype) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
