import type { RevisionEvents } from '../registry/index.ts';
import { cutPieces, type EventPiece } from './event-pieces.ts';
import type { KeyRange } from './range-index.ts';

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

interface LastRead extends KeyRange {
  readonly from: number;
  readonly slice: HistorySlice;
}

/** Revisions with changes taken from history at once, before they are cut to size. */
const REVISIONS_PER_SLICE = 512;

/** Reads history in slices of bounded size. */
export class HistoryReader {
  readonly #source: WatchSource;
  readonly #sliceBytes: number;
  #last: LastRead | undefined = undefined;

  constructor(source: WatchSource, sliceBytes: number) {
    this.#source = source;
    this.#sliceBytes = sliceBytes;
  }

  /**
   * From `from` on, which history may not reach. Watchers of one range that fell behind together
   * read in turn, so what was read last is kept: they share it, and its encoding.
   */
  read(range: KeyRange, from: number): HistorySlice {
    const { start, end } = range;
    const last = this.#last;
    if (last?.from === from && last.start === start && last.end === end) return last.slice;
    const slice = this.#read(start, end, from);
    this.#last = { start, end, from, slice };
    return slice;
  }

  /** The oldest revision history still has, when it is after `from`; undefined otherwise. */
  compactedBeyond(from: number): number | undefined {
    const part = this.#source.eventsSince(from, '', undefined, 1);
    return part.type === 'compacted' ? part.compactRevision + 1 : undefined;
  }

  /** Nobody is behind: let go of what was kept. */
  forget(): void {
    this.#last = undefined;
  }

  #read(start: string, end: string | undefined, from: number): HistorySlice {
    const part = this.#source.eventsSince(from, start, end, REVISIONS_PER_SLICE);
    if (part.type === 'compacted') {
      return { type: 'compacted', firstRevision: part.compactRevision + 1 };
    }
    const pieces = cutPieces(part.events, this.#sliceBytes);
    const piece = pieces[0];
    const next = piece === undefined || pieces.length === 1 ? part.next : piece.through + 1;
    return { type: 'events', piece, next };
  }
}
