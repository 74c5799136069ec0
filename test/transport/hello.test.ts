import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError, MalformedBytesError } from '../../src/base/index.ts';
import {
  CLIENT_PROTOCOL_VERSION,
  decodeClientHello,
  decodeClientWelcome,
  decodeHelloReply,
  encodeClientHello,
  encodeClientWelcome,
  encodeFrame,
  encodeHello,
  encodeHelloReply,
  formatAddress,
  HelloReader,
  parseAddress,
  PROTOCOL_VERSION,
  refuseClient,
  WireError,
  type Opening,
} from '../../src/wire/index.ts';
import { concat, cutAt } from './support/bytes.ts';

const PAYLOAD = new TextEncoder().encode('who I am');

function read(chunks: readonly Uint8Array[], expecting: 'hello' | 'helloReply' = 'hello'): Opening {
  const reader = new HelloReader(expecting);
  for (const chunk of chunks) {
    const opening = reader.push(chunk);
    if (opening !== undefined) return opening;
  }
  throw new Error('the opening is not complete');
}

function assertBroken(bytes: Uint8Array, rule: string, message: RegExp): void {
  assert.throws(
    () => read([bytes]),
    (error) => error instanceof WireError && error.rule === rule && message.test(error.message),
  );
}

test('[NET-7] a hello is read however it is cut, and what follows it is kept', () => {
  for (const streamKind of ['peer', 'snapshot', 'client'] as const) {
    const hello = encodeHello({ streamKind, payload: PAYLOAD });
    const stream = concat([hello, encodeFrame(40, PAYLOAD)]);
    for (let cut = 0; cut < stream.length; cut++) {
      const reader = new HelloReader('hello');
      let opening: Opening | undefined = undefined;
      for (const chunk of cutAt(stream, [cut])) {
        if (opening === undefined) opening = reader.push(chunk);
        else opening.decoder.push(chunk);
      }
      assert.equal(opening?.streamKind, streamKind);
      assert.deepEqual(opening?.frame.head.slice(), PAYLOAD);
      assert.equal(opening?.decoder.next()?.kind, 40, `cut at ${cut}`);
    }
  }
});

test('[NET-7] a stranger is told by the first byte that differs', () => {
  const http = new TextEncoder().encode('GET / HTTP/1.1\r\n');
  assertBroken(http, 'wrong-magic', /HTTP request/);
  assertBroken(http.subarray(0, 1), 'wrong-magic', /not Holdfast/);
  assertBroken(Uint8Array.of(0x16, 3, 1, 2, 0), 'wrong-magic', /TLS/);
  assertBroken(new TextEncoder().encode('HLDX'), 'wrong-magic', /not Holdfast/);
});

test('[NET-7] wrong versions and unknown stream kinds are refused', () => {
  const hello = { streamKind: 'peer', payload: PAYLOAD } as const;
  const newer = encodeHello(hello, PROTOCOL_VERSION + 1);
  assertBroken(newer, 'wrong-version', /version 3, this node speaks 2/);
  const unknown = encodeHello(hello).slice();
  unknown[6] = 9;
  assertBroken(unknown, 'unknown-stream-kind', /9/);
});

test('[NET-7] a hello may be neither long nor another frame', () => {
  const long = encodeHello({ streamKind: 'peer', payload: new Uint8Array(70_000) });
  assertBroken(long, 'too-large', /limit/);
  const reply = encodeHelloReply('peer', { type: 'accepted', payload: PAYLOAD });
  assertBroken(reply, 'unexpected-frame', /kind 2/);
});

test('[NET-7] replies are read back: accepted with a payload, refused with a reason', () => {
  for (const reply of [
    { type: 'accepted', payload: PAYLOAD },
    { type: 'refused', code: 'wrong-cluster', reason: 'größer' },
  ] as const) {
    const opening = read([encodeHelloReply('client', reply)], 'helloReply');
    const decoded = decodeHelloReply(opening.frame.head.slice());
    assert.deepEqual(decoded, reply);
  }
  assert.throws(() => decodeHelloReply(Uint8Array.of(7)), MalformedBytesError);
  assert.throws(() => decodeHelloReply(new Uint8Array(0)), MalformedBytesError);
});

test("[NET-23] a client's hello and its welcome are read back", () => {
  const hello = { clientProtocolVersion: CLIENT_PROTOCOL_VERSION, clusterName: 'häuser' };
  assert.deepEqual(decodeClientHello(encodeClientHello(hello)), hello);
  const welcome = { nodeId: 'a', clusterName: 'c', clusterId: 'x', leaderAddress: '[::1]:7400' };
  assert.deepEqual(decodeClientWelcome(encodeClientWelcome(welcome)), welcome);
  const bytes = encodeClientWelcome(welcome);
  for (let end = 0; end < bytes.length; end++) {
    assert.throws(() => decodeClientWelcome(bytes.subarray(0, end)), MalformedBytesError);
  }
});

test('[NET-23] a client of another cluster or version is refused, one naming none is not', () => {
  const hello = { clientProtocolVersion: CLIENT_PROTOCOL_VERSION, clusterName: 'mine' };
  assert.equal(refuseClient(hello, 'mine'), undefined);
  assert.equal(refuseClient({ ...hello, clusterName: '' }, 'mine'), undefined);
  assert.equal(refuseClient(hello, 'other')?.code, 'wrong-cluster');
  assert.equal(refuseClient({ ...hello, clientProtocolVersion: 9 }, 'mine')?.code, 'wrong-version');
});

test('[NET-28] addresses are read and written, IPv6 in brackets', () => {
  for (const text of ['127.0.0.1:7400', 'node-1.example:65535', '[::1]:0']) {
    assert.equal(formatAddress(parseAddress(text)), text);
  }
  assert.deepEqual(parseAddress('[fe80::1]:7400'), { host: 'fe80::1', port: 7400 });
  for (const text of ['', 'host', ':7400', 'host:', 'host:65536', 'a b:1', '::1:7400', 'h:-1']) {
    assert.throws(
      () => parseAddress(text),
      (error) => error instanceof HoldfastError && error.code === 'invalid-argument',
      text,
    );
  }
});
