import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MalformedBytesError } from '../../src/base/index.ts';
import { encodeRecord, encodeRecords } from '../../src/log-store/index.ts';
import type { Entry, LogIndex, Term } from '../../src/raft/index.ts';
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerIdentity,
  type PeerMessage,
} from '../../src/transport/index.ts';
import { decodeIdentity, encodeIdentity } from '../../src/transport/identity-codec.ts';
import { FrameDecoder, OutgoingBatch, type Frame } from '../../src/wire/index.ts';
import { concat } from './support/bytes.ts';
import { ANY_MESSAGE, anySnapshot, FROM, TO } from './support/messages.ts';
import { identityOf } from './support/recorder.ts';

const LIMIT = 1 << 24;

function chunksOf(message: PeerMessage): Uint8Array[] {
  const batch = new OutgoingBatch(LIMIT);
  assert.ok(encodePeerMessage(batch, message) > 0);
  return batch.take();
}

function frameOf(message: PeerMessage): Frame {
  const decoder = new FrameDecoder({ maxFrameBytes: LIMIT });
  decoder.push(concat(chunksOf(message)));
  const frame = decoder.next();
  assert.ok(frame !== undefined);
  decoder.end();
  return frame;
}

/** Entries come back with the record they travelled as, which the sent ones have since then too. */
function comparable(message: PeerMessage | PeerIdentity): unknown {
  return JSON.parse(
    JSON.stringify(message, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ),
  );
}

for (const [type, anyMessage] of Object.entries(ANY_MESSAGE)) {
  test(`[NET-8] ${type} comes out as it went in`, () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const decoded = decodePeerMessage(frameOf(message), FROM, TO);
        assert.deepEqual(comparable(decoded), comparable(message));
      }),
      { numRuns: 60 },
    );
  });

  test(`[NET-9] a ${type} cut short, or with bytes too many, is malformed and nothing else`, () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), (message, at) => {
        const frame = frameOf(message);
        const cut = { ...frame, head: frame.head.subarray(0, at % (frame.head.length + 1)) };
        decodeOrMalformed(cut);
        if (frame.tail.length > 0) {
          const tail = frame.tail.subarray(0, at % frame.tail.length);
          assert.throws(() => decodePeerMessage({ ...frame, tail }, FROM, TO), MalformedBytesError);
        }
        const long = { ...frame, tail: concat([frame.tail, Uint8Array.of(1)]) };
        assert.throws(() => decodePeerMessage(long, FROM, TO), MalformedBytesError);
      }),
      { numRuns: 40 },
    );
  });
}

function decodeOrMalformed(frame: Frame): void {
  try {
    decodePeerMessage(frame, FROM, TO);
  } catch (error) {
    assert.ok(error instanceof MalformedBytesError, String(error));
  }
}

test('[NET-9] arbitrary bytes under any kind are malformed or a message', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.uint8Array(), fc.uint8Array(), (kind, head, tail) => {
      decodeOrMalformed({ kind, head, tail });
    }),
    { numRuns: 500 },
  );
});

function entryAt(index: number, length: number): Entry {
  const data = new Uint8Array(length).fill(index);
  const stamp = { index: index as LogIndex, term: 3 as Term, time: 1000 + index };
  return { ...stamp, type: 'command', data, recorded: undefined };
}

function appendOf(entries: readonly Entry[]): PeerMessage {
  const place = { prevIndex: 10 as LogIndex, prevTerm: 3 as Term, commit: 10 as LogIndex };
  const base = { type: 'appendRequest', from: FROM, to: TO, term: 3 as Term, round: 1 } as const;
  return { ...base, ...place, entries };
}

test('[NET-10] a flipped bit in an entry on its way is detected', () => {
  const frame = frameOf(appendOf([entryAt(11, 20), entryAt(12, 5)]));
  for (let bit = 0; bit < frame.tail.length * 8; bit++) {
    const tail = frame.tail.slice();
    tail[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => decodePeerMessage({ ...frame, tail }, FROM, TO), MalformedBytesError);
  }
});

test('[NET-10] entries that do not follow each other are malformed', () => {
  for (const entries of [[entryAt(12, 5)], [entryAt(11, 5), entryAt(13, 5)]]) {
    const frame = frameOf(appendOf(entries));
    assert.throws(() => decodePeerMessage(frame, FROM, TO), MalformedBytesError);
  }
});

test('[NET-5] entry bytes are copied once, into their record, and then sent as one piece', () => {
  const entries = Array.from({ length: 1000 }, (_, i) => entryAt(11 + i, 256));
  encodeRecords(entries);
  const first = encodeRecord(entries[0]!);
  const chunks = chunksOf(appendOf(entries));
  assert.equal(chunks.length, 2);
  assert.equal(chunks[1]!.buffer, first.buffer);
  assert.equal(chunks[1]!.byteOffset, first.byteOffset);

  const stream = concat(chunks);
  const decoder = new FrameDecoder({ maxFrameBytes: LIMIT });
  decoder.push(stream);
  const decoded = decodePeerMessage(decoder.next()!, FROM, TO);
  assert.equal(decoded.type, 'appendRequest');
  assert.ok(decoded.type === 'appendRequest');
  assert.ok(decoded.entries.every((entry) => entry.data.buffer === stream.buffer));
});

test('[NET-5] records from several buffers are sent as one piece per run', () => {
  const groups = [1, 2, 3].map((group) =>
    Array.from({ length: 20 }, (_, i) => entryAt(11 + (group - 1) * 20 + i, 256)),
  );
  for (const group of groups) encodeRecords(group);
  const chunks = chunksOf(appendOf(groups.flat()));
  assert.equal(chunks.length, 4);
});

test('[NET-8] an identity comes out as it went in, and is malformed when cut', () => {
  fc.assert(
    fc.property(fc.option(anySnapshot, { nil: undefined }), fc.string(), (founding, text) => {
      const identity = { ...identityOf('a'), foundingPeers: text, founding };
      const bytes = encodeIdentity(identity);
      assert.deepEqual(comparable(decodeIdentity(bytes)), comparable(identity));
      for (let end = 0; end < bytes.length; end++) {
        assert.throws(() => decodeIdentity(bytes.subarray(0, end)), MalformedBytesError);
      }
    }),
    { numRuns: 30 },
  );
});
