/** Whole numbers above 0 are ids, so this marks a place that is free. */
const FREE = 0;
const FIRST_CAPACITY = 16;
/** A table with more places is given up once it is empty. */
const IDLE_CAPACITY = 1024;

/**
 * What is under way, by its id: all are whole numbers above 0. Meant for ids given out one after
 * another and soon forgotten, each of which has the place of its lowest bits; an id whose place is
 * taken while there is plenty of room, by one that stays long, is kept aside.
 *
 * A `Map` would do, but one that is added to and deleted from all the time makes a table anew every
 * few calls, and each old table points to the next: once one has outlived a few collections, it
 * keeps alive all that come after it with everything in them, and collecting costs ten times as
 * much.
 */
export class IdTable<T> {
  /** A power of two of places. */
  #ids: number[] = places(FIRST_CAPACITY, FREE);
  #values: (T | undefined)[] = places(FIRST_CAPACITY, undefined);
  /** Places taken. */
  #taken = 0;
  readonly #aside = new Map<number, T>();

  get size(): number {
    return this.#taken + this.#aside.size;
  }

  get(id: number): T | undefined {
    const place = id & (this.#ids.length - 1);
    if (this.#ids[place] === id) return this.#values[place];
    return this.#aside.size === 0 ? undefined : this.#aside.get(id);
  }

  has(id: number): boolean {
    return this.#ids[id & (this.#ids.length - 1)] === id || this.#aside.has(id);
  }

  /** Adds, or replaces what has this id. */
  set(id: number, value: T): void {
    const place = id & (this.#ids.length - 1);
    const there = this.#ids[place];
    if (there === id) {
      this.#values[place] = value;
    } else if (this.#aside.has(id)) {
      this.#aside.set(id, value);
    } else if (there === FREE) {
      this.#ids[place] = id;
      this.#values[place] = value;
      this.#taken++;
    } else if (this.#taken * 2 < this.#ids.length) {
      this.#aside.set(id, value);
    } else {
      this.#grow();
      this.set(id, value);
    }
  }

  /** Whether there was anything of that id. */
  delete(id: number): boolean {
    const place = id & (this.#ids.length - 1);
    if (this.#ids[place] !== id) return this.#aside.size > 0 && this.#aside.delete(id);
    this.#ids[place] = FREE;
    this.#values[place] = undefined;
    this.#taken--;
    if (this.#taken === 0 && this.#ids.length > IDLE_CAPACITY) this.#renew();
    return true;
  }

  /** As of now: what is changed meanwhile does not show. In the order of the ids. */
  entries(): [id: number, value: T][] {
    const entries: [number, T][] = [...this.#aside];
    for (let place = 0; place < this.#ids.length; place++) {
      const id = this.#ids[place]!;
      if (id !== FREE) entries.push([id, this.#values[place] as T]);
    }
    return entries.toSorted(([a], [b]) => a - b);
  }

  clear(): void {
    this.#renew();
    this.#aside.clear();
  }

  #renew(): void {
    this.#ids = places(FIRST_CAPACITY, FREE);
    this.#values = places(FIRST_CAPACITY, undefined);
    this.#taken = 0;
  }

  /** No two that had places of their own get the same one by this. */
  #grow(): void {
    const ids = this.#ids;
    const values = this.#values;
    const mask = ids.length * 2 - 1;
    this.#ids = places(ids.length * 2, FREE);
    this.#values = places(ids.length * 2, undefined);
    for (let place = 0; place < ids.length; place++) {
      const id = ids[place]!;
      if (id === FREE) continue;
      this.#ids[id & mask] = id;
      this.#values[id & mask] = values[place];
    }
  }
}

function places<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}
