/** Which blocks a log consists of, how to find one, and how to cut one. */
import type { Entry } from '../raft/index.ts';
import type { Block, KeyRange } from './block-medium.ts';
import type { LogChange } from './backend.ts';
import { encodeRecords, joinRecords, recordLength, RecordReader } from './entry-codec.ts';
import { readingRecord } from './errors.ts';

/** A block grows no further than this, unless a single entry is larger. */
const MAX_BLOCK_BYTES = 256 * 1024;

/** A block on the medium. */
export interface StoredBlock {
  readonly first: number;
  readonly last: number;
}

/**
 * What a change does to the blocks. `front` and `added` are new, the rest of `kept` stays as it is.
 */
export interface BlockPlan {
  readonly removed: readonly KeyRange[];
  /** Of the blocks there are, those at these places stay. */
  readonly keptFrom: number;
  readonly keptTo: number;
  /** What compaction left of a block, now the first of the log. */
  readonly front: Block | undefined;
  readonly added: readonly Block[];
}

/** Packs entries into as few blocks as the limit allows. */
function packBlocks(entries: readonly Entry[], into: Block[]): void {
  encodeRecords(entries);
  let from = 0;
  let bytes = 0;
  const close = (to: number): void => {
    into.push({
      first: entries[from]!.index,
      last: entries[to - 1]!.index,
      bytes: joinRecords(entries, from, to),
    });
    from = to;
    bytes = 0;
  };
  for (let at = 0; at < entries.length; at++) {
    const length = recordLength(entries[at]!);
    if (bytes > 0 && bytes + length > MAX_BLOCK_BYTES) close(at);
    bytes += length;
  }
  if (from < entries.length) close(entries.length);
}

/** The part of a block from `first` through `last`, every record of it verified. */
function cutBlock(block: Block, first: number, last: number): Block {
  const reader = new RecordReader(block.bytes);
  let begin = 0;
  for (let index = block.first; index <= last; index++) {
    if (index === first) begin = reader.offset;
    nextEntry(reader, index);
  }
  return { first, last, bytes: block.bytes.subarray(begin, reader.offset) };
}

/** Reads the next record, which must be that of `index`. Throws `corrupt-data` with the index. */
export function nextEntry(reader: RecordReader, index: number): Entry {
  return readingRecord(
    'entry',
    () => {
      const entry = reader.next();
      if (entry.index !== index) throw new Error(`the record there is of entry ${entry.index}`);
      return entry;
    },
    index,
  );
}

/** An empty log ends before it begins. */
export interface LogBounds {
  readonly first: number;
  readonly last: number;
}

export class BlockLog {
  #blocks: StoredBlock[] = [];
  readonly #readBlock: (first: number) => Uint8Array;

  /** `readBlock` fetches a block's bytes and throws when there are none. */
  constructor(readBlock: (first: number) => Uint8Array) {
    this.#readBlock = readBlock;
  }

  /** Takes up a block found on the medium, after those taken up before. */
  add(block: StoredBlock): void {
    this.#blocks.push({ first: block.first, last: block.last });
  }

  /** Index of the last entry, undefined when there is none. */
  get last(): number | undefined {
    return this.#blocks.at(-1)?.last;
  }

  /** 1 and 0 when there is no entry. */
  get bounds(): LogBounds {
    return { first: this.#blocks[0]?.first ?? 1, last: this.last ?? 0 };
  }

  /** Place of the block that holds `index`, which is held. */
  #find(index: number): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#blocks[middle]!.first <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #load(place: number): Block {
    const { first, last } = this.#blocks[place]!;
    return { first, last, bytes: this.#readBlock(first) };
  }

  /** Blocks from the one that holds `from` through the one that holds `through`. */
  *blocks(from: number, through: number): Generator<Block> {
    const end = this.#find(through);
    for (let place = this.#find(from); place <= end; place++) yield this.#load(place);
  }

  /** The keys of the blocks at places `from` to `to`, exclusive. */
  #range(from: number, to: number): KeyRange {
    const keys = this.#blocks.slice(from, to).map((block) => block.first);
    return { from: keys[0]!, through: keys.at(-1)!, keys };
  }

  plan(change: LogChange): BlockPlan {
    const added: Block[] = [];
    const removed: KeyRange[] = [];
    let keptTo = this.#blocks.length;
    if (change.truncateFrom !== undefined) {
      keptTo = this.#find(change.truncateFrom);
      const { first } = this.#blocks[keptTo]!;
      removed.push(this.#range(keptTo, this.#blocks.length));
      if (first < change.truncateFrom) {
        added.push(cutBlock(this.#load(keptTo), first, change.truncateFrom - 1));
      }
    }
    packBlocks(change.entries, added);
    if (change.compactThrough === undefined) {
      return { removed, keptFrom: 0, keptTo, front: undefined, added };
    }
    return this.#compact(change.compactThrough, removed, keptTo, added);
  }

  #compact(through: number, removed: KeyRange[], keptTo: number, added: Block[]): BlockPlan {
    let keptFrom = 0;
    while (keptFrom < keptTo && this.#blocks[keptFrom]!.last <= through) keptFrom++;
    let front: Block | undefined;
    let gone = 0;
    if (keptFrom < keptTo) {
      const { first, last } = this.#blocks[keptFrom]!;
      if (first <= through) {
        front = cutBlock(this.#load(keptFrom), through + 1, last);
        keptFrom++;
      }
    } else {
      while (gone < added.length && added[gone]!.last <= through) gone++;
      const cut = added[gone];
      if (cut !== undefined && cut.first <= through) {
        front = cutBlock(cut, through + 1, cut.last);
        gone++;
      }
    }
    if (keptFrom > 0) removed.push(this.#range(0, keptFrom));
    return { removed, keptFrom, keptTo, front, added: added.slice(gone) };
  }

  /** Where the log begins and ends once the plan is carried out; 1 and 0 when nothing is left. */
  boundsAfter(plan: BlockPlan): LogBounds {
    const kept = plan.keptFrom < plan.keptTo;
    const oldest = plan.front ?? (kept ? this.#blocks[plan.keptFrom] : plan.added[0]);
    const newest = plan.added.at(-1) ?? (kept ? this.#blocks[plan.keptTo - 1] : plan.front);
    return { first: oldest?.first ?? 1, last: newest?.last ?? 0 };
  }

  /** The plan was carried out. */
  settle(plan: BlockPlan): void {
    this.#blocks.length = plan.keptTo;
    if (plan.keptFrom > 0) this.#blocks.splice(0, plan.keptFrom);
    if (plan.front !== undefined) {
      this.#blocks.unshift({ first: plan.front.first, last: plan.front.last });
    }
    for (const block of plan.added) this.add(block);
  }
}
