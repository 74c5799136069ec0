/** Snapshots of any size leave the event loop to others between their chunks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Holdfast, MemoryLogStore, type StateMachine } from '../../src/index.ts';
import { SETTINGS, until } from './support/cluster.ts';

const CHUNKS = 6;
const CHUNK_BYTES = 256 * 1024;
const NOTHING = new Uint8Array(0);

/** Writes down in which turn of the event loop each chunk was asked for, or came. */
class Large implements StateMachine {
  readonly written: number[] = [];
  readonly read: number[] = [];
  #turn = 0;
  #counting = true;

  constructor() {
    const count = (): void => {
      this.#turn++;
      if (this.#counting) setImmediate(count);
    };
    count();
  }

  stop(): void {
    this.#counting = false;
  }

  apply(): Uint8Array {
    return NOTHING;
  }

  query(): Uint8Array {
    return NOTHING;
  }

  async *snapshot(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < CHUNKS; i++) {
      this.written.push(this.#turn);
      yield new Uint8Array(CHUNK_BYTES).fill(i);
    }
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) if (chunk.length > 0) this.read.push(this.#turn);
  }
}

function start(store: MemoryLogStore, stateMachine: Large) {
  const settings = { ...SETTINGS, snapshotEveryEntries: 5 };
  return Holdfast.start({ id: 'a', listen: '127.0.0.1:0', store, settings, stateMachine });
}

function isOneATurn(turns: readonly number[]): void {
  assert.equal(turns.length, CHUNKS);
  assert.equal(new Set(turns).size, CHUNKS, `chunks in turns ${turns.join()}`);
}

test('[NODE-56] a snapshot is saved, and restored, a chunk a turn of the event loop', async () => {
  const store = new MemoryLogStore();
  const machines = [new Large(), new Large()] as const;
  try {
    const node = await start(store, machines[0]);
    await node.waitForLeader({ timeout: '10s' });
    for (let i = 0; i < 5; i++) await node.propose(NOTHING);
    await until('it is saved', () => node.status().snapshotIndex > 0);
    await node.stop();
    isOneATurn(machines[0].written);
    const again = await start(store, machines[1]);
    await again.stop();
    isOneATurn(machines[1].read);
  } finally {
    for (const machine of machines) machine.stop();
  }
});
