import type { RevisionEvents } from '../registry/index.ts';
import { cutPieces, type EventPiece } from './event-pieces.ts';
import { selectEvents, wantsPrevious } from './event-filter.ts';
import type { WatchSelection } from './watcher.ts';

/** What watching needs of the registry's state machine. */
export interface WatchSource {
  /** The latest revision applied. */
  readonly revision: number;
  /** History begins after it. */
  readonly compactRevision: number;
  /** What was applied since the last call, oldest first; whoever calls it takes it. */
  takeEvents(): readonly RevisionEvents[];
  /**
   * Changes in the range of at most `limit` revisions from `from` on, of as many as one call looks
   * at: up to `next`, exclusive.
   */
  eventsSince(from: number, start: string, end: string | undefined, limit: number): HistoryPart;
}

type HistoryPart =
  | { readonly type: 'events'; readonly events: readonly RevisionEvents[]; readonly next: number }
  /** History begins after `compactRevision`. */
  | { readonly type: 'compacted'; readonly compactRevision: number };

export type HistorySlice =
  | {
      readonly type: 'events';
      /** Undefined when nothing in the range changed. */
      readonly piece: EventPiece | undefined;
      /** The first revision not looked at. */
      readonly next: number;
    }
  | { readonly type: 'compacted'; readonly firstRevision: number };

/** Revisions with changes taken from history at once, before they are cut to size. */
const REVISIONS_PER_SLICE = 512;
/** What is kept of slices read, at most: so many, and so many times a slice's size. */
const MAX_KEPT_SLICES = 256;

/**
 * Reads history in slices of bounded size. Slices are kept while anyone is behind: watchers of one
 * range and filter that stand at the same place share what was read, and its encoding. What a slice
 * says stays true, whatever happens afterwards.
 */
export class HistoryReader {
  readonly #source: WatchSource;
  readonly #sliceBytes: number;
  readonly #maxKeptBytes: number;
  readonly #kept = new Map<string, HistorySlice>();
  #keptBytes = 0;

  /** Keeps slices of up to `maxKeptBytes` together. */
  constructor(source: WatchSource, sliceBytes: number, maxKeptBytes: number) {
    this.#source = source;
    this.#sliceBytes = sliceBytes;
    this.#maxKeptBytes = maxKeptBytes;
  }

  /** About the bytes of what is kept. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** From `from` on, which history may not reach. */
  read(selection: WatchSelection, from: number): HistorySlice {
    return this.#kept.get(placeOf(selection, from)) ?? this.#read(selection, from);
  }

  /** The oldest revision history still has, when it is after `from`; undefined otherwise. */
  compactedBeyond(from: number): number | undefined {
    const part = this.#source.eventsSince(from, '', undefined, 1);
    return part.type === 'compacted' ? part.compactRevision + 1 : undefined;
  }

  /** Nobody is behind: let go of what was kept. */
  forget(): void {
    this.#kept.clear();
    this.#keptBytes = 0;
  }

  #read(selection: WatchSelection, from: number): HistorySlice {
    const { start, end, filter } = selection;
    const part = this.#source.eventsSince(from, start, end, REVISIONS_PER_SLICE);
    if (part.type === 'compacted') {
      return { type: 'compacted', firstRevision: part.compactRevision + 1 };
    }
    const revisions = selectEvents(part.events, filter);
    const pieces = cutPieces(revisions, wantsPrevious(filter), this.#sliceBytes);
    const slices = pieces.map((piece, i): HistorySlice => {
      const isLast = i === pieces.length - 1;
      return { type: 'events', piece, next: isLast ? part.next : piece.through + 1 };
    });
    const [first = { type: 'events', piece: undefined, next: part.next } as const] = slices;
    // In reverse: should there be too much, what is wanted next is kept.
    for (let i = slices.length - 1; i > 0; i--) {
      const before = pieces[i - 1];
      if (before !== undefined) this.#keep(placeOf(selection, before.through + 1), slices[i]!);
    }
    this.#keep(placeOf(selection, from), first);
    return first;
  }

  #keep(place: string, slice: HistorySlice): void {
    this.#drop(place);
    this.#kept.set(place, slice);
    this.#keptBytes += bytesOf(slice);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT_SLICES && this.#keptBytes <= this.#maxKeptBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(place: string): void {
    const slice = this.#kept.get(place);
    if (slice === undefined) return;
    this.#kept.delete(place);
    this.#keptBytes -= bytesOf(slice);
  }
}

function bytesOf(slice: HistorySlice): number {
  return slice.type === 'events' ? (slice.piece?.bytes ?? 0) : 0;
}

/** Unique for a range, a filter and a revision. */
function placeOf({ start, end, filter }: WatchSelection, from: number): string {
  const range = end === undefined ? start : `${start.length}-${start}${end}`;
  return `${from}/${filter}${end === undefined ? '-' : '+'}${range}`;
}
