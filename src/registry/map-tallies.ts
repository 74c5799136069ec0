import { nameIn, reservedKind } from './reserved-keys.ts';
import type { ByteString } from './types.ts';

export interface MapTally {
  readonly entries: number;
  readonly openers: number;
}

const NONE: MapTally = { entries: 0, openers: 0 };

/**
 * How many entries and openers each map has, so that neither limits nor a session's end have to
 * count. Derived from the keys.
 */
export class MapTallies {
  readonly #tallies = new Map<ByteString, MapTally>();

  of(map: ByteString): MapTally {
    return this.#tallies.get(map) ?? NONE;
  }

  /** A reserved key is there from now on, or (`by` is -1) no more. */
  changed(key: ByteString, by: 1 | -1): void {
    const kind = reservedKind(key);
    if (kind !== 'mapEntry' && kind !== 'opener') return;
    const map = nameIn(key);
    const { entries, openers } = this.of(map);
    const tally =
      kind === 'opener' ? { entries, openers: openers + by } : { entries: entries + by, openers };
    if (tally.entries + tally.openers === 0) this.#tallies.delete(map);
    else this.#tallies.set(map, tally);
  }
}
