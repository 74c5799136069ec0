import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MalformedBytesError } from '../../src/base/index.ts';
import {
  UNFILTERED,
  checkRequest,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  frameRequest,
  frameResponse,
  MAX_REQUEST_TIMEOUT_MS,
  REQUEST_FRAME,
  RESPONSE_FRAME,
  type Request,
  type Response,
} from '../../src/protocol/index.ts';
import { FrameDecoder, FrameWriter } from '../../src/wire/index.ts';
import { anyRequest, anyResponse } from './support/arbitraries.ts';

const RUNS = { numRuns: 300 };

test('[SRV-1] every request survives its encoding', () => {
  fc.assert(
    fc.property(anyRequest, (request) => {
      assert.deepEqual(plain(decodeRequest(encodeRequest(request))), plain(request));
    }),
    RUNS,
  );
});

test('[SRV-1] every response survives its encoding', () => {
  fc.assert(
    fc.property(anyResponse, (response) => {
      assert.deepEqual(plain(decodeResponse(encodeResponse(response))), plain(response));
    }),
    RUNS,
  );
});

test('[SRV-2] a payload is decoded as a view of what arrived, not as a copy', () => {
  const command = Uint8Array.of(1, 2, 3);
  const asked = encodeRequest({ type: 'propose', id: 1, timeoutMs: 5, command });
  const request = decodeRequest(asked);
  assert.equal(request.type, 'propose');
  assert.equal(request.command.buffer, asked.buffer);
  const answered = encodeResponse({ type: 'ok', id: 1, payload: command });
  const response = decodeResponse(answered);
  assert.equal(response.type, 'ok');
  assert.equal(response.payload.buffer, answered.buffer);
});

test('[SRV-2] a large payload goes to the socket uncopied', () => {
  const written: Uint8Array[] = [];
  const frames = new FrameWriter(sinkInto(written), { maxFrameBytes: 1 << 20 });
  const payload = new Uint8Array(100_000).fill(7);
  frameResponse(frames, { type: 'watchEvents', id: 9, payload });
  frameRequest(frames, { type: 'propose', id: 10, timeoutMs: 1, command: payload });
  frames.flush();
  assert.equal(written.filter((chunk) => chunk.buffer === payload.buffer).length, 2);

  const decoder = new FrameDecoder({ maxFrameBytes: 1 << 20 });
  for (const chunk of written) decoder.push(chunk);
  const first = decoder.next();
  assert.equal(first?.kind, RESPONSE_FRAME);
  assert.deepEqual(
    plain(decodeResponse(first.head)),
    plain({ type: 'watchEvents', id: 9, payload }),
  );
  const second = decoder.next();
  assert.equal(second?.kind, REQUEST_FRAME);
  assert.equal(decodeRequest(second.head).id, 10);
});

test('[SRV-3] a truncated message is refused, wherever it is cut before its payload', () => {
  const requests: Request[] = [
    { type: 'watch', id: 300, start: 'from', end: 'to', from: 77, filter: UNFILTERED },
    { type: 'cancel', id: 300 },
    { type: 'watchCredit', id: 300, bytes: 5000 },
    { type: 'status', id: 300 },
    {
      type: 'member',
      id: 300,
      timeoutMs: 900,
      change: { type: 'add', id: 'd', address: 'h:1', promote: true },
    },
    { type: 'transfer', id: 300, timeoutMs: 900, to: 'b' },
    { type: 'backup', id: 300, timeoutMs: 900, consistency: 'local' },
  ];
  for (const request of requests) {
    const bytes = encodeRequest(request);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decodeRequest(bytes.subarray(0, length)), MalformedBytesError);
    }
  }
  fc.assert(
    fc.property(anyResponse, fc.nat(), (response, at) => {
      if ('payload' in response) return;
      const bytes = encodeResponse(response);
      const cut = bytes.subarray(0, at % bytes.length);
      assert.throws(() => decodeResponse(cut), MalformedBytesError);
    }),
    RUNS,
  );
});

test('[SRV-3] bytes left over, unknown tags and other versions are refused', () => {
  const status = encodeRequest({ type: 'status', id: 1 });
  assert.throws(() => decodeRequest(Uint8Array.of(...status, 0)), /left over/);
  assert.throws(() => decodeRequest(Uint8Array.of(status[0]!, 99, 1)), /unknown request type 99/);
  assert.throws(() => decodeRequest(Uint8Array.of(9, ...status.subarray(1))), /version 9/);
  assert.throws(() => decodeRequest(Uint8Array.of(status[0]!, status[1]!, 0)), /id 0/);
  assert.throws(() => decodeResponse(Uint8Array.of(status[0]!, 99, 1)), /unknown response type/);
  assert.throws(
    () => decodeResponse(encodeResponse({ type: 'watchStarted', id: 0, revision: 1 })),
    /id 0/,
  );
});

test('[SRV-3] no bytes make a decoder do anything but decode or refuse', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat({ max: 10 }), (noise, tag) => {
      const bytes = Uint8Array.of(1, tag, ...noise);
      for (const decode of [decodeRequest, decodeResponse]) {
        try {
          decode(bytes);
        } catch (error) {
          assert.ok(error instanceof MalformedBytesError, String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});

const NO_BYTES = new Uint8Array(0);
const GREEDY_VARINT = new Uint8Array([0x80, 0x80, 0x80, 0x80, 0x80, 0x01]);

test('[SRV-4] a patience is whole milliseconds, cut to one day', () => {
  assert.equal(sent(0.2), 1);
  assert.equal(sent(-5), 0);
  assert.equal(sent(Infinity), MAX_REQUEST_TIMEOUT_MS);
  // From somebody who does not cut it, and means 2^35 ms.
  const none = encodeRequest({ type: 'leaderQuery', id: 1, timeoutMs: 0, query: NO_BYTES });
  const greedy = decodeRequest(Buffer.concat([none.subarray(0, -1), GREEDY_VARINT]));
  assert.equal(greedy.type === 'leaderQuery' && greedy.timeoutMs, MAX_REQUEST_TIMEOUT_MS);
});

test('[SRV-5] what people type is refused with the rule it breaks', () => {
  assert.equal(messageOf(add('d', '10.0.0.4:7400')), undefined);
  assert.equal(messageOf(add('d', '[::1]:7400')), undefined);
  assert.match(messageOf(add('', 'h:1')) ?? '', /^id: a node id is made of/);
  assert.match(messageOf(add('d', 'nowhere')) ?? '', /^address: an address is host:port/);
  assert.match(messageOf(add('d', 'h:70000')) ?? '', /port up to 65535/);
  const to = { type: 'transfer', id: 1, timeoutMs: 0 } as const;
  assert.equal(messageOf({ ...to, to: '' }), undefined);
  assert.match(messageOf({ ...to, to: 'a b' }) ?? '', /node id is made of/);
  const watch = { type: 'watch', id: 1, from: 0, filter: UNFILTERED } as const;
  assert.equal(messageOf({ ...watch, start: 'a', end: undefined }), undefined);
  assert.match(messageOf({ ...watch, start: 'b', end: 'a' }) ?? '', /ends after it starts/);
  assert.match(
    messageOf({ ...watch, start: 'x'.repeat(70_000), end: undefined }) ?? '',
    /too long/,
  );
});

function sent(timeoutMs: number): number {
  const request = decodeRequest(encodeRequest({ type: 'transfer', id: 1, timeoutMs, to: '' }));
  assert.equal(request.type, 'transfer');
  return request.timeoutMs;
}

function add(id: string, address: string): Request {
  const change = { type: 'add', id, address, promote: true } as const;
  return { type: 'member', id: 1, timeoutMs: 0, change };
}

function messageOf(request: Request): string | undefined {
  return checkRequest(request)?.message;
}

/** Views compare by class too: compare contents only. */
function plain(message: Request | Response): unknown {
  return JSON.parse(
    JSON.stringify(message, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ),
  );
}

function sinkInto(written: Uint8Array[]): ConstructorParameters<typeof FrameWriter>[0] {
  return {
    destroyed: false,
    writableLength: 0,
    cork: () => undefined,
    uncork: () => undefined,
    write: (bytes) => written.push(bytes) > 0,
  };
}
