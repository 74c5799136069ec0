/** What this process holds of a map: its decoded values, and what it changed itself since. */
import { utf8ToByteString } from '../base/index.ts';
import type { MapChange } from './map-changes.ts';
import type { InvalidMapEntry, MapEntry } from './map-types.ts';

/**
 * Removals remembered until the watch has passed them. One of a key that was not there makes no
 * event, so in a quiet map nothing may pass it for long; of one forgotten before its time, what the
 * watch brings late shows for a moment.
 */
const MAX_UNCONFIRMED = 1_024;

/**
 * Changes arrive twice: by the watch, in the order of revisions, and as the results of what this
 * process did itself, which may be ahead of the watch. The newer revision of a key wins.
 */
export class MapReplica<T> {
  readonly #onInvalid: (entry: InvalidMapEntry) => void;
  #known = new Map<string, MapChange<T>>();
  /** Keys of removals in `#known`, oldest first. */
  readonly #unconfirmed = new Set<string>();
  #size = 0;
  #order: readonly string[] | undefined = undefined;
  #revision = 0;

  constructor(onInvalid: (entry: InvalidMapEntry) => void) {
    this.#onInvalid = onInvalid;
  }

  /** All changes up to here have come by a list or the watch. */
  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): T | undefined {
    const known = this.#known.get(key);
    return known?.type === 'put' ? known.entry.value : undefined;
  }

  has(key: string): boolean {
    return this.#known.get(key)?.type === 'put';
  }

  /** In the order of their bytes. */
  keys(): readonly string[] {
    this.#order ??= this.#inOrder();
    return this.#order;
  }

  entries(): readonly MapEntry<T>[] {
    const found: MapEntry<T>[] = [];
    for (const key of this.keys()) {
      const known = this.#known.get(key);
      if (known?.type === 'put') found.push(known.entry);
    }
    return found;
  }

  invalid(): readonly InvalidMapEntry[] {
    const found: InvalidMapEntry[] = [];
    for (const known of this.#known.values()) {
      if (known.type === 'invalid') found.push(known.entry);
    }
    return found;
  }

  /** Everything there is, as of a revision. What this process did after it stays. */
  replace(all: readonly MapChange<T>[], revision: number): void {
    const before = this.#known;
    this.#known = new Map();
    this.#unconfirmed.clear();
    this.#size = 0;
    this.#order = undefined;
    this.#revision = revision;
    for (const change of all) {
      this.#set(change, undefined);
      // Once for each value, however often it is listed.
      if (before.get(change.key)?.revision !== change.revision) this.#report(change);
    }
    for (const change of before.values()) this.#keep(change);
  }

  /** The next event of the watch; `last` of its revision or not. */
  watched(change: MapChange<T>, last: boolean): void {
    const known = this.#known.get(change.key);
    if (known === undefined || known.revision < change.revision) {
      this.#set(change, known);
      this.#report(change);
    }
    if (last) this.#passed(change.revision);
  }

  /** What came by another way than the watch: as the result of a call, or by a subscription. */
  did(change: MapChange<T>): void {
    if (this.#keep(change)) this.#report(change);
  }

  /** False when something as new is known. */
  #keep(change: MapChange<T>): boolean {
    // The watch has told of it, and maybe of what came after it.
    if (change.revision <= this.#revision) return false;
    const known = this.#known.get(change.key);
    if (known !== undefined && known.revision >= change.revision) return false;
    this.#set(change, known);
    if (change.type !== 'remove') return true;
    this.#known.set(change.key, change);
    this.#unconfirmed.add(change.key);
    const [oldest] = this.#unconfirmed;
    if (this.#unconfirmed.size > MAX_UNCONFIRMED && oldest !== undefined) this.#forget(oldest);
    return true;
  }

  #set(change: MapChange<T>, known: MapChange<T> | undefined): void {
    const { key } = change;
    const wasServed = known?.type === 'put';
    const isServed = change.type === 'put';
    if (change.type === 'remove') this.#known.delete(key);
    else this.#known.set(key, change);
    this.#unconfirmed.delete(key);
    if (wasServed !== isServed) {
      this.#size += isServed ? 1 : -1;
      this.#order = undefined;
    }
  }

  /** In a turn of its own: what the application does about it is no matter of ours. */
  #report(change: MapChange<T>): void {
    if (change.type === 'invalid') queueMicrotask(() => this.#onInvalid(change.entry));
  }

  #passed(revision: number): void {
    this.#revision = revision;
    for (const key of this.#unconfirmed) {
      if ((this.#known.get(key)?.revision ?? 0) > revision) return;
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    this.#unconfirmed.delete(key);
    this.#known.delete(key);
  }

  #inOrder(): readonly string[] {
    const served: { readonly key: string; readonly bytes: string }[] = [];
    for (const { type, key } of this.#known.values()) {
      if (type === 'put') served.push({ key, bytes: utf8ToByteString(key) });
    }
    return served.toSorted((a, b) => (a.bytes < b.bytes ? -1 : 1)).map(({ key }) => key);
  }
}
