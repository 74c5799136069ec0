/** Values of a history, which may be anything that JSON can say. */
import type { Operation } from '../history/operation.ts';

/** A field of an operation's `value` or `output`; undefined where that has none. */
export function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

export function numberOf(value: unknown, name: string): number | undefined {
  const field = fieldOf(value, name);
  return typeof field === 'number' ? field : undefined;
}

export function textFieldOf(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === 'string' ? field : undefined;
}

/** The name of a session, a watch or the like, which may be text or a number. */
export function nameOf(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === 'string' || typeof field === 'number' ? String(field) : undefined;
}

/** What was called, and with what, whoever did. */
export function calledWith({ f, value }: Operation): string {
  return JSON.stringify([f, value]);
}

/** The same operations in order of their calls; those of one moment as they were recorded. */
export function byCall(operations: readonly Operation[]): Operation[] {
  return operations.toSorted((a, b) => a.call - b.call);
}

/** When it had certainly ended; never, where nobody knows. */
export function endOf({ return: end }: Operation): number {
  return end ?? Infinity;
}

/** Operations apart by key, those without a key under ''. */
export function byKey(operations: readonly Operation[]): Map<string, Operation[]> {
  const parts = new Map<string, Operation[]>();
  for (const operation of operations) {
    const part = parts.get(operation.key ?? '');
    if (part === undefined) parts.set(operation.key ?? '', [operation]);
    else part.push(operation);
  }
  return parts;
}
