import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  encodeFrame,
  FRAME_HEADER_BYTES,
  FrameDecoder,
  FrameWriter,
  OutgoingBatch,
  WireError,
  type Frame,
  type FrameSink,
  type WireRule,
} from '../../src/wire/index.ts';
import { concat, cutAt } from './support/bytes.ts';

const LIMIT = 1 << 20;

interface Parts {
  readonly kind: number;
  readonly fields: Uint8Array;
  readonly payload: Uint8Array;
  readonly tail: readonly Uint8Array[];
}

const anyBytes = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  // Around the size from which pieces are borrowed instead of copied.
  { weight: 1, arbitrary: fc.integer({ min: 2040, max: 2056 }).map((n) => patterned(n)) },
);
const anyParts: fc.Arbitrary<Parts> = fc.record({
  kind: fc.integer({ min: 0, max: 255 }),
  fields: fc.uint8Array({ maxLength: 40 }),
  payload: anyBytes,
  tail: fc.array(anyBytes, { maxLength: 4 }),
});

function patterned(length: number): Uint8Array {
  return new Uint8Array(length).map((_, i) => (i * 31) ^ (i >> 8));
}

function gather(frames: readonly Parts[]): Uint8Array[] {
  const batch = new OutgoingBatch(LIMIT);
  for (const { kind, fields, payload, tail } of frames) {
    batch.begin().raw(fields);
    batch.end(kind, payload, tail);
  }
  return batch.take();
}

function decodeAll(chunks: readonly Uint8Array[], maxFrameBytes = LIMIT): Frame[] {
  const decoder = new FrameDecoder({ maxFrameBytes });
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
      frames.push(frame);
    }
  }
  decoder.end();
  return frames;
}

function plain(frame: Frame): { kind: number; head: Uint8Array; tail: Uint8Array } {
  return { kind: frame.kind, head: frame.head.slice(), tail: frame.tail.slice() };
}

function expected({ kind, fields, payload, tail }: Parts): ReturnType<typeof plain> {
  return { kind, head: concat([fields, payload]), tail: concat(tail) };
}

function ruleOf(work: () => unknown): WireRule | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof WireError, String(error));
    return error.rule;
  }
}

test('[NET-1] frames survive any cutting of the stream into pieces', () => {
  fc.assert(
    fc.property(
      fc.array(anyParts, { maxLength: 6 }),
      fc.array(fc.nat(20_000), { maxLength: 12 }),
      (frames, cuts) => {
        const stream = concat(gather(frames));
        const decoded = decodeAll(cutAt(stream, cuts)).map((frame) => plain(frame));
        assert.deepEqual(
          decoded,
          frames.map((parts) => expected(parts)),
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('[NET-1] frames arrive whole when the stream comes byte by byte', () => {
  const parts = {
    kind: 20,
    fields: patterned(30),
    payload: patterned(300),
    tail: [patterned(5), patterned(500)],
  };
  const stream = concat(gather([parts, parts]));
  const bytes = Array.from(stream, (byte) => Uint8Array.of(byte));
  const decoded = decodeAll(bytes).map((frame) => plain(frame));
  assert.deepEqual(decoded, [expected(parts), expected(parts)]);
});

test('[NET-1] a frame within one chunk is handed out as views of the chunk', () => {
  const stream = concat(
    gather([{ ...emptyParts, payload: patterned(3000), tail: [patterned(9)] }]),
  );
  const [frame] = decodeAll([stream]);
  assert.equal(frame?.head.buffer, stream.buffer);
  assert.equal(frame?.tail.buffer, stream.buffer);
});

const emptyParts: Parts = {
  kind: 16,
  fields: new Uint8Array(0),
  payload: new Uint8Array(0),
  tail: [],
};

test('[NET-2] every flipped bit of header and head is noticed', () => {
  // A head on each side of the length from which the native checksum takes over.
  for (const length of [0, 1, 40, 200]) {
    const stream = encodeFrame(17, patterned(length));
    for (let bit = 0; bit < stream.length * 8; bit++) {
      const damaged = stream.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      assert.notEqual(
        ruleOf(() => decodeAll([damaged])),
        undefined,
        `bit ${bit} of ${length}`,
      );
      assert.notEqual(
        ruleOf(() => decodeAll([damaged])),
        'truncated',
        `bit ${bit} of ${length}`,
      );
    }
  }
});

test('[NET-3] a stream that ends inside a frame is told from one that ends between two', () => {
  const frame = encodeFrame(17, patterned(50));
  for (let end = 0; end <= frame.length; end++) {
    const rule = ruleOf(() => decodeAll([frame.subarray(0, end)]));
    assert.equal(rule, end === 0 || end === frame.length ? undefined : 'truncated', `at ${end}`);
  }
});

test('[NET-4] a frame over the limit is refused by its header alone', () => {
  const frame = encodeFrame(17, patterned(100));
  assert.equal(
    ruleOf(() => decodeAll([frame], frame.length)),
    undefined,
  );
  const decoder = new FrameDecoder({ maxFrameBytes: frame.length - 1 });
  decoder.push(frame.subarray(0, FRAME_HEADER_BYTES));
  assert.equal(
    ruleOf(() => decoder.next()),
    'too-large',
  );
});

test('[NET-4] garbage is refused as such once a header has come', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: FRAME_HEADER_BYTES, maxLength: 99 }), (garbage) => {
      assert.equal(
        ruleOf(() => decodeAll([garbage])),
        'header-checksum',
      );
    }),
    { numRuns: 200 },
  );
});

class RecordingSink implements FrameSink {
  destroyed = false;
  writableLength = 0;
  readonly writes: Uint8Array[][] = [];
  #corked: Uint8Array[] | undefined = undefined;

  cork(): void {
    this.#corked = [];
  }
  uncork(): void {
    if (this.#corked !== undefined) this.writes.push(this.#corked);
    this.#corked = undefined;
  }
  write(bytes: Uint8Array): boolean {
    this.writableLength += bytes.length;
    if (this.#corked === undefined) this.writes.push([bytes]);
    else this.#corked.push(bytes);
    return true;
  }
}

function createWriter(): { sink: RecordingSink; writer: FrameWriter; endTurn: () => void } {
  const sink = new RecordingSink();
  const deferred: (() => void)[] = [];
  const defer = (callback: () => void): void => void deferred.push(callback);
  const writer = new FrameWriter(sink, { maxFrameBytes: LIMIT, defer });
  return { sink, writer, endTurn: () => deferred.splice(0).forEach((callback) => callback()) };
}

function send(writer: FrameWriter, parts: Parts): number {
  writer.begin().raw(parts.fields);
  return writer.end(parts.kind, parts.payload, parts.tail);
}

test('[NET-5] everything sent in one turn leaves in one write, small frames as one piece', () => {
  const { sink, writer, endTurn } = createWriter();
  const parts = { ...emptyParts, fields: patterned(10), tail: [patterned(30)] };
  for (let i = 0; i < 100; i++) send(writer, parts);
  assert.equal(sink.writes.length, 0);
  assert.equal(writer.queuedBytes, 100 * (FRAME_HEADER_BYTES + 40));
  endTurn();
  assert.equal(sink.writes.length, 1);
  assert.equal(sink.writes[0]?.length, 1);
  assert.equal(decodeAll(sink.writes[0] ?? []).length, 100);
  assert.equal(writer.queuedBytes, 100 * (FRAME_HEADER_BYTES + 40));

  send(writer, { ...parts, payload: patterned(5000) });
  writer.flush();
  send(writer, parts);
  endTurn();
  assert.equal(sink.writes.length, 3);
  assert.equal(decodeAll(sink.writes.flat()).length, 102);
});

test('[NET-5] large payloads and records are handed on without being copied', () => {
  const payload = patterned(5000);
  const records = patterned(300_000);
  const chunks = gather([{ ...emptyParts, fields: patterned(3), payload, tail: [records] }]);
  assert.ok(chunks.includes(payload));
  assert.ok(chunks.includes(records));
});

test('[NET-6] a frame over the limit is left out, and its neighbours are whole', () => {
  const { sink, writer, endTurn } = createWriter();
  const small = { ...emptyParts, fields: patterned(10) };
  send(writer, small);
  assert.equal(send(writer, { ...small, payload: patterned(LIMIT) }), 0);
  assert.ok(send(writer, small) > 0);
  endTurn();
  const decoded = decodeAll(sink.writes.flat()).map((frame) => plain(frame));
  assert.deepEqual(decoded, [expected(small), expected(small)]);
});

test('[NET-5] a socket that is gone swallows what was gathered', () => {
  const { sink, writer, endTurn } = createWriter();
  send(writer, { ...emptyParts, fields: patterned(10) });
  sink.destroyed = true;
  endTurn();
  assert.deepEqual([sink.writes.length, writer.queuedBytes], [0, 0]);
});
