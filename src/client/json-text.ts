/** JSON that says what was meant, or is refused: `JSON.stringify` alone drops and falsifies. */

/**
 * @throws TypeError that names the part JSON has no word for. `undefined` in an object is one, too,
 * unless absent and undefined are the same to the caller.
 */
export function jsonText(value: unknown, undefinedIsAbsent = false): string {
  if (ArrayBuffer.isView(value)) throw new TypeError('it is bytes in another form');
  const json = JSON.stringify(value, undefinedIsAbsent ? refuseButUndefined : refuse);
  if (json === undefined) throw new TypeError(`it is ${typeof value}`);
  return json;
}

/** A replacer: `this` holds what `value` was before its `toJSON` had a say. */
function refuse(this: unknown, name: string, value: unknown): unknown {
  const original = (this as Readonly<Record<string, unknown>>)[name];
  // The value as a whole is judged by its caller, which can say it better.
  if (name !== '' && original === undefined) throw new TypeError(`'${name}' is undefined`);
  return refuseKind(name, original, value);
}

/** In an array it would become null. */
function refuseButUndefined(this: unknown, name: string, value: unknown): unknown {
  const original = (this as Readonly<Record<string, unknown>>)[name];
  if (original === undefined && Array.isArray(this)) throw new TypeError(`[${name}] is undefined`);
  return refuseKind(name, original, value);
}

function refuseKind(name: string, original: unknown, value: unknown): unknown {
  if (typeof original === 'number' && !Number.isFinite(original)) {
    throw new TypeError(`${original} is no JSON number`);
  }
  const type = typeof original;
  if (name !== '' && (type === 'function' || type === 'symbol')) {
    throw new TypeError(`'${name}' is a ${type}`);
  }
  if (typeof original === 'object' && original !== null && !isPlain(original)) {
    const kind = Object.prototype.toString.call(original).slice(8, -1);
    throw new TypeError(`${name === '' ? 'it' : `'${name}'`} is no plain object but ${kind}`);
  }
  return value;
}

/** Arrays and objects of any realm; a `Date`, `Map` or class of one's own would lose what it is. */
function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
