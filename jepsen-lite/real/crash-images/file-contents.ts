/** A file's contents, changed in whole or only in some of its sectors. */
import type { FileChange } from './trace.ts';

/** Whether a change reaches a sector, or (undefined) the file's length. */
type Reaches = (sector: number | undefined) => boolean;

export class FileContents {
  readonly #sectorBytes: number;
  #contents: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(sectorBytes: number) {
    this.#sectorBytes = sectorBytes;
  }

  apply(change: FileChange, reaches: Reaches = () => true): void {
    if (change.type === 'write') this.#write(change.at, change.bytes, reaches);
    else this.#truncate(change.length, reaches);
  }

  bytes(): Buffer {
    this.#reserve(this.#length);
    return this.#contents.subarray(0, this.#length);
  }

  #write(at: number, bytes: Buffer, reaches: Reaches): void {
    const end = at + bytes.length;
    this.#reserve(end);
    for (const { sector, from, to } of this.#sectors(at, end)) {
      if (reaches(sector)) bytes.copy(this.#contents, from, from - at, to - at);
    }
    if (reaches(undefined)) this.#length = Math.max(this.#length, end);
  }

  /** What is cut off must not come back when the file grows again. */
  #truncate(length: number, reaches: Reaches): void {
    for (const { sector, from, to } of this.#sectors(length, this.#contents.length)) {
      if (reaches(sector)) this.#contents.fill(0, from, to);
    }
    if (reaches(undefined)) this.#length = length;
  }

  *#sectors(at: number, end: number): Iterable<{ sector: number; from: number; to: number }> {
    for (let from = at; from < end;) {
      const sector = Math.floor(from / this.#sectorBytes);
      const to = Math.min((sector + 1) * this.#sectorBytes, end);
      yield { sector, from, to };
      from = to;
    }
  }

  #reserve(wanted: number): void {
    if (wanted <= this.#contents.length) return;
    const larger = Buffer.alloc(Math.max(wanted, 2 * this.#contents.length));
    this.#contents.copy(larger);
    this.#contents = larger;
  }
}
