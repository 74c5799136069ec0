import { nameIn, reservedKind } from './reserved-keys.ts';
import type { ByteString } from './types.ts';

/** Entries and edges of each table: counted from the keys, never stored. */
export class TableSizes {
  readonly #sizes: Map<ByteString, number> = new Map();

  of(table: ByteString): number {
    return this.#sizes.get(table) ?? 0;
  }

  /** A reserved key is there from now on, or (`by` is -1) no more. */
  changed(key: ByteString, by: 1 | -1): void {
    const kind = reservedKind(key);
    if (kind !== 'tableEntry' && kind !== 'edge') return;
    const table = nameIn(key);
    const size = this.of(table) + by;
    if (size === 0) this.#sizes.delete(table);
    else this.#sizes.set(table, size);
  }
}
