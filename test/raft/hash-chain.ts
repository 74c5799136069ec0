/** The state machine under test: its state is a hash over everything applied, in order. */
import { ByteReader, ByteWriter, invariant } from '../../src/base/index.ts';
import type { Entry } from '../../src/raft/index.ts';

const SNAPSHOT_PADDING = 24;

export class HashChain {
  /** The last index applied. */
  index = 0;
  hash = 0;

  apply(entry: Entry): void {
    invariant(entry.index === this.index + 1, 'entries are applied in order, each once', {
      applied: this.index,
      next: entry.index,
    });
    this.index = entry.index;
    this.hash = mixEntry(this.hash, entry);
  }

  /** The same bytes on every replica, in several chunks' worth. */
  snapshot(): Uint8Array {
    const writer = new ByteWriter().varint(this.index).varint(this.hash);
    let filler = this.hash;
    for (let i = 0; i < SNAPSHOT_PADDING; i++) {
      filler = mix(filler, i);
      writer.u8(filler & 0xff);
    }
    return writer.finish().slice();
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes);
    this.index = reader.varint();
    this.hash = reader.varint();
    const restored = this.snapshot();
    const same = restored.length === bytes.length && restored.every((byte, i) => byte === bytes[i]);
    invariant(same, 'a snapshot arrived with other bytes than it was made of');
  }
}

function mix(hash: number, value: number): number {
  const product = Math.imul((hash ^ value) >>> 0, 0x01000193);
  return (product ^ (product >>> 13)) >>> 0;
}

function mixEntry(hash: number, entry: Entry): number {
  let mixed = mix(mix(mix(hash, entry.index), entry.term), entry.time);
  mixed = mix(mixed, entry.type.length);
  for (const byte of entry.data) mixed = mix(mixed, byte);
  return mixed;
}
