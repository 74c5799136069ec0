import { byteStringToUtf8, MalformedBytesError } from '../base/index.ts';
import type { RegistryRefusal } from './codec/error.ts';
import { isQueueKey } from './locks.ts';
import { isReserved } from './reserved-keys.ts';
import type { ByteString, LockTerms, RegistryErrorCode, RegistryLimits } from './types.ts';

const MAX_SHOWN = 80;
const MAX_NAME_BYTES = 255;
const PRINTABLE_FROM = 0x20;
const PRINTABLE_TO = 0x7e;

export function refuse(code: RegistryErrorCode, message: string): RegistryRefusal {
  return { type: 'error', code, message };
}

/** A key or name for a message: as it is when it is UTF-8, else with its odd bytes as `\xNN`. */
export function show(text: ByteString): ByteString {
  if (text.length <= MAX_SHOWN && isUtf8(text)) return `"${text}"`;
  let shown = '';
  for (let at = 0; at < text.length && at < MAX_SHOWN; at++) {
    const code = text.charCodeAt(at);
    const plain = code >= PRINTABLE_FROM && code <= PRINTABLE_TO;
    shown += plain ? text.charAt(at) : `\\x${code.toString(16).padStart(2, '0')}`;
  }
  return text.length > MAX_SHOWN ? `"${shown}..."` : `"${shown}"`;
}

function isUtf8(text: ByteString): boolean {
  try {
    byteStringToUtf8(text);
    return true;
  } catch (error) {
    if (error instanceof MalformedBytesError) return false;
    throw error;
  }
}

/** Undefined when a client may write this key. */
export function checkKey(key: ByteString, limits: RegistryLimits): RegistryRefusal | undefined {
  return checkEntryKey(key, limits) ?? checkUnreserved(key);
}

/**
 * Undefined when a client may delete this key, or let it live on. One that is there may be longer
 * than the limit, which can have been lowered since.
 */
export function checkKnownKey(
  key: ByteString,
  limits: RegistryLimits,
  isThere: boolean,
): RegistryRefusal | undefined {
  return isThere ? checkUnreserved(key) : checkKey(key, limits);
}

function checkUnreserved(key: ByteString): RegistryRefusal | undefined {
  if (isReserved(key)) {
    return refuse(
      'invalid-key',
      `key ${show(key)} is reserved: keys that begin with a zero byte are the registry's own`,
    );
  }
  if (isQueueKey(key)) {
    return refuse(
      'invalid-key',
      `key ${show(key)} is reserved: keys that end in "/" and 16 ` +
        'lowercase hex digits are lock queues, written by lock and unlock only',
    );
  }
  return undefined;
}

/** Of a table or map: the zero byte ends the name within the registry's own keys. */
export function checkName(what: 'table' | 'map', name: ByteString): RegistryRefusal | undefined {
  if (name.length > 0 && name.length <= MAX_NAME_BYTES && !name.includes('\0')) return undefined;
  const rule = `1 to ${MAX_NAME_BYTES} bytes, none of them zero`;
  return refuse('invalid-argument', `a ${what}'s name has ${rule}, unlike ${show(name)}`);
}

/** Of an entry of a map or table, where all keys are the client's. */
export function checkEntryKey(
  key: ByteString,
  { maxKeyBytes }: RegistryLimits,
): RegistryRefusal | undefined {
  if (key.length === 0) return refuse('invalid-key', 'a key must not be empty');
  if (key.length <= maxKeyBytes) return undefined;
  return refuse(
    'too-large',
    `key of ${key.length} bytes: the limit is ${maxKeyBytes} (maxKeyBytes)`,
  );
}

export function checkValue(value: Uint8Array, limits: RegistryLimits): RegistryRefusal | undefined {
  if (value.length <= limits.maxValueBytes) return undefined;
  return refuse(
    'too-large',
    `value of ${value.length} bytes: the limit is ${limits.maxValueBytes} (maxValueBytes)`,
  );
}

/** For labels, reasons, node names and metadata; `what` names it. */
export function checkLabel(
  what: string,
  label: { readonly length: number },
  limits: RegistryLimits,
): RegistryRefusal | undefined {
  if (label.length <= limits.maxLabelBytes) return undefined;
  return refuse(
    'too-large',
    `${what} of ${label.length} bytes: the limit is ${limits.maxLabelBytes} (maxLabelBytes)`,
  );
}

export function checkTtl(ttlMs: number, limits: RegistryLimits): RegistryRefusal | undefined {
  if (Number.isInteger(ttlMs) && ttlMs >= 0 && ttlMs <= limits.maxTtlMs) return undefined;
  return refuse(
    'invalid-argument',
    'ttl must be a whole number of ms from 0 (never expires) to ' +
      `${limits.maxTtlMs} (maxTtlMs), not ${ttlMs}`,
  );
}

export function checkSessionTtl(
  ttlMs: number,
  limits: RegistryLimits,
): RegistryRefusal | undefined {
  const { minSessionTtlMs, maxSessionTtlMs } = limits;
  if (Number.isInteger(ttlMs) && ttlMs >= minSessionTtlMs && ttlMs <= maxSessionTtlMs) {
    return undefined;
  }
  return refuse(
    'invalid-argument',
    'session ttl must be a whole number of ms from ' +
      `${minSessionTtlMs} (minSessionTtlMs) to ${maxSessionTtlMs} (maxSessionTtlMs), not ${ttlMs}`,
  );
}

export function checkTerms(terms: LockTerms, limits: RegistryLimits): RegistryRefusal | undefined {
  const { mode, permits, limit, delayMs } = terms;
  const { maxLockDelayMs } = limits;
  const fits = mode === 'semaphore' ? permits >= 1 && permits <= limit : permits + limit === 0;
  if (!fits) {
    return refuse(
      'invalid-argument',
      mode === 'semaphore'
        ? `permits must be from 1 to the limit, not ${permits} of ${limit}`
        : `a lock held ${mode} has no permits and no limit`,
    );
  }
  if (Number.isInteger(delayMs) && delayMs >= 0 && delayMs <= maxLockDelayMs) return undefined;
  return refuse(
    'invalid-argument',
    `lock-delay must be a whole number of ms from 0 to ${maxLockDelayMs} (maxLockDelayMs), ` +
      `not ${delayMs}`,
  );
}
