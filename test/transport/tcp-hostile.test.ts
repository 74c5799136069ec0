/** Whoever breaks the rules loses its own connection, with a logged reason, and nothing else. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import type { ClientConnection } from '../../src/transport/index.ts';
import {
  acceptHello,
  CLIENT_PROTOCOL_VERSION,
  decodeClientWelcome,
  decodeHelloReply,
  encodeClientHello,
  encodeClientWelcome,
  encodeFrame,
  encodeHello,
  FIRST_FREE_KIND,
  OutgoingBatch,
  PROTOCOL_VERSION,
  receiveFrames,
  type Frame,
} from '../../src/wire/index.ts';
import { encodePeerMessage } from '../../src/transport/message-codec.ts';
import { concat } from './support/bytes.ts';
import { introduce, TcpTestNetwork, type TcpTestNode } from './support/networks.ts';
import { eventually, forward, heartbeat, identityOf, nodeId } from './support/recorder.ts';
import { Rogue } from './support/rogue.ts';

let network: TcpTestNetwork;
let a: TcpTestNode;
let b: TcpTestNode;
const rogues: Rogue[] = [];

beforeEach(async () => {
  network = new TcpTestNetwork({ limits: { maxFrameBytes: 1 << 20 } });
  a = await network.start('a');
  b = await network.start('b');
  introduce(a, b);
  await eventually('a healthy connection', () => a.transport.snapshotReady(nodeId('b')));
});

afterEach(async () => {
  for (const one of rogues.splice(0)) one.hangUp();
  await network.closeAll();
});

function newRogue(): Rogue {
  const one = new Rogue(b.address);
  rogues.push(one);
  return one;
}

let rounds = 0;
/** The peer that did nothing wrong is still heard, on the connection it had. */
async function assertHealthyPeerUnharmed(): Promise<void> {
  const round = ++rounds;
  a.transport.send(heartbeat('a', 'b', round));
  await eventually('the healthy peer is heard', () => b.recorder.rounds().includes(round));
  assert.deepEqual(a.recorder.lost, []);
}

async function assertThrownOut(one: Rogue, reason: RegExp): Promise<void> {
  await eventually('the connection is closed', () => one.closed);
  await eventually(`logged ${reason}`, () => b.recorder.noticed(reason) === 1);
  assert.ok(b.recorder.notices.every((line) => !line.includes('\n')));
  await assertHealthyPeerUnharmed();
}

function framed(message: Parameters<typeof encodePeerMessage>[1]): Uint8Array {
  const batch = new OutgoingBatch(Number.MAX_SAFE_INTEGER);
  encodePeerMessage(batch, message);
  return concat(batch.take());
}

/** A rogue whose hello was accepted. */
async function insider(): Promise<Rogue> {
  const one = newRogue().greet(identityOf('x'));
  await eventually('it is let in', () => b.recorder.hasSeen('x'));
  return one;
}

test('[NET-20] an HTTP request', async () => {
  await assertThrownOut(newRogue().send('GET /health HTTP/1.1\r\n\r\n'), /HTTP request\?/);
});

test('[NET-20] garbage', async () => {
  await assertThrownOut(newRogue().send(Buffer.alloc(5000, 0xee)), /not Holdfast's protocol/);
});

test('[NET-20] another protocol version, which is told the reason', async () => {
  const hello = { streamKind: 'peer', payload: new Uint8Array(0) } as const;
  const one = newRogue().send(encodeHello(hello, PROTOCOL_VERSION + 1));
  await assertThrownOut(one, /protocol version 3, this node speaks 2/);
  const reply = decodeHelloReply(one.answer()!);
  assert.equal(reply.type === 'refused' && reply.code, 'wrong-version');
});

test('[NET-20] a foreign cluster, which is told the reason', async () => {
  const one = newRogue().greet(identityOf('x', { clusterName: 'foreign' }));
  await assertThrownOut(one, /cluster 'foreign' is not this one/);
  const reply = decodeHelloReply(one.answer()!);
  assert.equal(reply.type === 'refused' && reply.code, 'wrong-cluster');
});

test('[NET-20] a hello too long for a stranger', async () => {
  const payload = new Uint8Array(100_000);
  await assertThrownOut(
    newRogue().send(encodeHello({ streamKind: 'peer', payload })),
    /limit here is/,
  );
});

test('[NET-20] a hello whose identity cannot be read', async () => {
  const hello = encodeHello({ streamKind: 'peer', payload: Uint8Array.of(1, 2, 3) });
  await assertThrownOut(newRogue().send(hello), /unreadable identity/);
});

test('[NET-20] garbage after a proper hello', async () => {
  const one = await insider();
  await assertThrownOut(one.send(Buffer.alloc(500, 0xee)), /'x'.*frame header fails its checksum/);
});

test('[NET-20] a frame over the limit', async () => {
  const one = await insider();
  one.send(framed(forward('x', 'b', new Uint8Array(1 << 20))));
  await assertThrownOut(one, /'x'.*the limit here is 1048576/);
});

test('[NET-20] a frame cut off by the end of the connection', async () => {
  const one = await insider();
  one.send(framed(heartbeat('x', 'b', 999)).subarray(0, 18)).socket.end();
  await assertThrownOut(one, /'x'.*ended inside a frame/);
  assert.ok(!b.recorder.rounds().includes(999));
});

test('[NET-20] a frame with a flipped bit', async () => {
  const one = await insider();
  const frame = framed(heartbeat('x', 'b', 999));
  frame[frame.length - 1]! ^= 1;
  await assertThrownOut(one.send(frame), /'x'.*fails its checksum/);
  assert.ok(!b.recorder.rounds().includes(999));
});

test('[NET-20] a frame that is whole but no message', async () => {
  const one = await insider();
  one.send(encodeFrame(FIRST_FREE_KIND, Uint8Array.of(0xff)));
  await assertThrownOut(one, /'x'.*bytes wanted/);
});

test('[NET-20] a kind of frame nobody knows', async () => {
  const one = await insider();
  one.send(encodeFrame(200, new Uint8Array(3)));
  await assertThrownOut(one, /'x'.*unknown kind 200/);
});

test('[NET-20] a stranger that repeats itself is logged once', async () => {
  for (let i = 0; i < 5; i++) {
    const one = newRogue().send('GET / HTTP/1.1\r\n\r\n');
    await eventually('it is thrown out', () => one.closed);
  }
  assert.equal(b.recorder.noticed(/HTTP/), 1);
});

test('[NET-20] a health check that says nothing is no news', async () => {
  const one = newRogue();
  await eventually('it is connected', () => one.socket.readyState === 'open');
  one.socket.end();
  await eventually('it is gone', () => one.closed);
  await assertHealthyPeerUnharmed();
  assert.deepEqual(b.recorder.notices, []);
});

test('[NET-13] a second store under the id of a connected peer is refused', async () => {
  const first = await insider();
  const second = newRogue().greet(identityOf('x', { storeId: 'another' }));
  await assertThrownOut(second, /duplicate node id 'x'/);
  assert.equal(first.closed, false);
});

test('[NET-16] a peer that connects anew replaces what is left of its old connection', async () => {
  const first = await insider();
  const second = newRogue().greet(identityOf('x'));
  await eventually('the old one is closed', () => first.closed);
  second.send(framed(heartbeat('x', 'b', 5000)));
  await eventually('the new one is heard', () => b.recorder.rounds().includes(5000));
  assert.deepEqual(b.recorder.notices, []);
});

test('[NET-24] strangers that say nothing are limited in number and in time', async () => {
  const limits = { maxPendingHandshakes: 3, handshakeTimeoutMs: 300 };
  b = await network.start('c', {}, '127.0.0.1:0', { limits });
  const silent = Array.from({ length: 6 }, () => newRogue());
  await eventually('those over the limit are closed', () => {
    return silent.filter((one) => one.closed).length >= 3;
  });
  assert.ok(b.recorder.noticed(/more than 3 connections without a hello/) === 1);
  await eventually('the rest is closed in time', () => silent.every((one) => one.closed));
  const welcome = newRogue().greet(identityOf('x'));
  await eventually('there is room again', () => b.recorder.hasSeen('x'));
  assert.equal(welcome.closed, false);
});

const CLIENT_HELLO = { clientProtocolVersion: CLIENT_PROTOCOL_VERSION, clusterName: 'test' };

function clientHello(changes: Partial<typeof CLIENT_HELLO> = {}): Uint8Array {
  const payload = encodeClientHello({ ...CLIENT_HELLO, ...changes });
  return encodeHello({ streamKind: 'client', payload });
}

test('[NET-23] a client is handed over with what it sent after its hello', async () => {
  const clients: ClientConnection[] = [];
  b = await network.start('c', {}, '127.0.0.1:0', { onClient: (one) => void clients.push(one) });
  const early = encodeFrame(40, Uint8Array.of(1));
  const one = newRogue().send(concat([clientHello(), early]));
  await eventually('it is handed over', () => clients.length === 1);
  const { socket, hello, decoder } = clients[0]!;
  assert.deepEqual(hello, CLIENT_HELLO);
  const welcome = { nodeId: 'c', clusterName: 'test', clusterId: '', leaderAddress: 'x:1' };
  acceptHello(socket, 'client', encodeClientWelcome(welcome));
  const frames: Frame[] = [];
  receiveFrames(socket, decoder, { frame: (frame) => void frames.push(frame), closed() {} });
  assert.equal(frames.length, 1, 'what came with the hello is there at once');
  one.send(encodeFrame(41, Uint8Array.of(2)));
  await eventually('both frames are there', () => frames.length === 2);
  assert.deepEqual(
    frames.map((frame) => frame.kind),
    [40, 41],
  );
  await eventually('the welcome is there', () => one.received.length > 0);
  const reply = decodeHelloReply(one.answer()!);
  assert.ok(reply.type === 'accepted');
  assert.deepEqual(decodeClientWelcome(reply.payload), welcome);
});

test('[NET-23] a client that is refused is told why, and the log too', async () => {
  b = await network.start('c', {}, '127.0.0.1:0', {
    onClient: () => assert.fail('not to be handed over'),
  });
  const one = newRogue().send(clientHello({ clusterName: 'elsewhere' }));
  await eventually('the connection is closed', () => one.closed);
  const reply = decodeHelloReply(one.answer()!);
  assert.deepEqual(reply, {
    type: 'refused',
    code: 'wrong-cluster',
    reason: "this is cluster 'test', not 'elsewhere'",
  });
  assert.equal(b.recorder.noticed(/refused a client.*elsewhere/), 1);
});

test('[NET-23] a node that serves no clients says so', async () => {
  const one = newRogue().send(clientHello());
  await eventually('the connection is closed', () => one.closed);
  const reply = decodeHelloReply(one.answer()!);
  assert.match(reply.type === 'refused' ? reply.reason : '', /serves no clients/);
});

test('[NET-24] those who have introduced themselves do not count as strangers', async () => {
  const limits = { maxPendingHandshakes: 1 };
  b = await network.start('c', {}, '127.0.0.1:0', { limits });
  for (const name of ['x', 'y', 'z']) {
    newRogue().greet(identityOf(name));
    await eventually('it is let in', () => b.recorder.hasSeen(name));
  }
  assert.deepEqual(b.recorder.notices, []);
});

test('[NET-18] what arrives while the transport closes does not reach the node', async () => {
  const one = await insider();
  one.send(framed(heartbeat('x', 'b', 1)));
  await eventually('it is heard', () => b.recorder.received.length === 1);
  const closing = b.transport.close();
  one.send(framed(heartbeat('x', 'b', 2)));
  await closing;
  await eventually('it is closed', () => one.closed);
  assert.equal(b.recorder.received.length, 1);
});

test('[NET-18] closing closes clients too, after what was written to them', async () => {
  let clientSocket: Socket | undefined;
  b = await network.start('c', {}, '127.0.0.1:0', {
    limits: { closeGraceMs: 120_000 },
    onClient({ socket, decoder }) {
      acceptHello(socket, 'client', new Uint8Array(0));
      receiveFrames(socket, decoder, { frame() {}, closed() {} });
      clientSocket = socket;
    },
  });
  const one = newRogue().send(clientHello());
  await eventually('it is in', () => one.received.length > 0);
  const before = one.received.length;
  const farewell = new Uint8Array(4 << 20);
  clientSocket?.write(farewell);
  const closing = b.transport.close();
  await eventually('it is closed', () => one.closed);
  await closing;
  assert.equal(one.received.length, before + farewell.length);
});
