/** What is known of the log that was committed: from acknowledged writes, and from all watches. */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import type { Contradiction } from './rules.ts';
import { byCall, fieldOf } from './values.ts';

/** A change of a key at a revision. */
export interface Change {
  readonly key: string;
  readonly revision: number;
  readonly type: 'put' | 'delete';
  /** JSON text of what was put. */
  readonly value: string | undefined;
  readonly source: Operation;
}

export class CommittedLog {
  /** By revision, then key. */
  readonly changes: readonly Change[];
  /** Where two sources tell of different changes in one place; the log has the first. */
  readonly conflict: Contradiction | undefined;
  readonly #ofKey = new Map<string, Change[]>();

  constructor(history: readonly Operation[]) {
    const places = new Map<string, Change>();
    let conflict: Contradiction | undefined;
    // The call that made a change stands before all that was told of it.
    for (const change of byCall(history).flatMap(changesOf)) {
      const place = `${change.revision} ${change.key}`;
      const other = places.get(place);
      if (other === undefined) places.set(place, change);
      else if (other.type !== change.type || other.value !== change.value) {
        const [a, b] = [describeOperation(other.source), describeOperation(change.source)];
        const message = `at revision ${change.revision}, ${a} and ${b} tell of different changes`;
        conflict ??= { message, operations: [other.source, change.source] };
      }
    }
    this.conflict = conflict;
    this.changes = [...places.values()].toSorted(
      (a, b) => a.revision - b.revision || (a.key < b.key ? -1 : 1),
    );
    for (const change of this.changes) {
      const ofKey = this.#ofKey.get(change.key);
      if (ofKey === undefined) this.#ofKey.set(change.key, [change]);
      else ofKey.push(change);
    }
  }

  /** The last known change of a key before a revision. */
  before(key: string, revision: number): Change | undefined {
    const changes = this.#ofKey.get(key) ?? [];
    let [low, high] = [0, changes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (changes[middle]!.revision < revision) low = middle + 1;
      else high = middle;
    }
    return changes[low - 1];
  }

  /** The known changes from one revision to another, both included. */
  between(from: number, to: number): readonly Change[] {
    let [low, high] = [0, this.changes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.changes[middle]!.revision < from) low = middle + 1;
      else high = middle;
    }
    let end = low;
    while (end < this.changes.length && this.changes[end]!.revision <= to) end++;
    return this.changes.slice(low, end);
  }
}

/** What a call puts, by key; of a `txn` its value says it: `{ put: { key: value } }`. */
export function putsIn({ f, key, value }: Operation): readonly (readonly [string, unknown])[] {
  if (f === 'txn') {
    const put = fieldOf(value, 'put');
    return typeof put === 'object' && put !== null ? Object.entries(put) : [];
  }
  if (key === undefined) return [];
  if (f === 'put' || f === 'write') return [[key, value]];
  return f === 'cas' && Array.isArray(value) ? [[key, value[1]]] : [];
}

/** Of puts whose revision is known, and of an event of any watch. */
function changesOf(operation: Operation): Change[] {
  const { f, key, type, output, revision } = operation;
  if (revision === undefined || type !== 'ok') return [];
  if (f !== 'event') {
    if (output === false) return [];
    return putsIn(operation).map(([written, value]) => {
      return { key: written, revision, type: 'put', value: textOf(value), source: operation };
    });
  }
  if (key === undefined) return [];
  const change = fieldOf(output, 'type') === 'delete' ? 'delete' : 'put';
  const put = change === 'put' ? textOf(fieldOf(output, 'value')) : undefined;
  return [{ key, revision, type: change, value: put, source: operation }];
}

function textOf(value: unknown): string {
  return JSON.stringify(value ?? null);
}
