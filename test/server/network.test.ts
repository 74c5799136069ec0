/** Clients over real sockets: batching, back-pressure, and those that do not keep the rules. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  UNFILTERED,
  decodeEvents,
  encodeQuery,
  encodeRequest,
  REQUEST_FRAME,
  type Request,
} from '../../src/protocol/index.ts';
import { CLIENT_PROTOCOL_VERSION, encodeFrame } from '../../src/wire/index.ts';
import { NetworkClient, NetworkService, until } from './support/network.ts';
import { put } from './support/registry.ts';

const GET_BIG = encodeQuery({ type: 'get', key: 'big' });

function get(id: number): Request {
  return { type: 'query', id, timeoutMs: 0, consistency: 'local', query: GET_BIG };
}

/** The server hands what it has been asked to the fake node, whose turn it then is. */
async function asked(service: NetworkService, count: number): Promise<void> {
  await until(() => service.node.status().pendingCommands >= count, `${count} requests arrive`);
  service.node.turn();
}

test('[SRV-30] a client is welcomed, and many answers of one turn leave in one write', async () => {
  await using service = await NetworkService.start();
  service.node.setLeader({ id: 'b', address: 'b:7400' });
  using client = await NetworkClient.connect(service);
  assert.deepEqual(client.welcome, {
    nodeId: 'a',
    clusterName: 'test-cluster',
    clusterId: 'cluster',
    leaderAddress: 'b:7400',
  });
  const socket = service.accepted[0]!;
  let writes = 0;
  const write = socket.write.bind(socket);
  socket.write = (chunk: string | Uint8Array): boolean => {
    writes++;
    return write(chunk);
  };
  const requests = Array.from({ length: 100 }, (_, i): Request => get(i + 1));
  client.send(...requests);
  await asked(service, 100);
  await until(() => client.responses.length === 100, 'all answers come');
  assert.equal(writes, 1);
  assert.ok(client.responses.every((response) => response.type === 'ok'));
});

const GARBAGE: readonly (readonly [name: string, bytes: Uint8Array, reason: RegExp])[] = [
  ['noise in place of a frame', randomBytes(64), /header fails its checksum/],
  [
    'a request of no known type',
    frame(Uint8Array.of(CLIENT_PROTOCOL_VERSION, 99, 1)),
    /unknown request type 99/,
  ],
  ['a request of another version', frame(Uint8Array.of(9, 7, 1)), /client protocol version 9/],
  ['a truncated request', frame(Uint8Array.of(CLIENT_PROTOCOL_VERSION, 4)), /bytes wanted/],
  ['a frame of a kind for peers', encodeFrame(200, Uint8Array.of(1)), /frame of kind 200/],
  ['a damaged frame', damaged(), /fails its checksum/],
  ['a frame over the limit', frame(new Uint8Array(70_000)), /frame of 70016 bytes, the limit/],
];

function frame(head: Uint8Array): Uint8Array {
  return encodeFrame(REQUEST_FRAME, head);
}

function damaged(): Uint8Array {
  const bytes = frame(encodeRequest({ type: 'status', id: 1 }));
  bytes[bytes.length - 1]! ^= 0x40;
  return bytes;
}

for (const [name, bytes, reason] of GARBAGE) {
  test(`[SRV-31] ${name} ends that connection with a logged reason, and no other`, async () => {
    await using service = await NetworkService.start({ service: { maxFrameBytes: 65_536 } });
    using healthy = await NetworkClient.connect(service);
    using bad = await NetworkClient.connect(service);
    bad.socket.write(bytes);
    await until(() => bad.closed, 'the bad connection is closed');
    await until(() => service.log.some((line) => reason.test(line)), `${reason} is logged`);
    healthy.send({ type: 'status', id: 5 });
    await until(() => healthy.of(5).length === 1, 'the healthy client is answered');
    assert.equal(service.service.clients, 1);
  });
}

test('[SRV-32] using a request id twice ends the connection', async () => {
  await using service = await NetworkService.start();
  using client = await NetworkClient.connect(service);
  client.send(get(1), get(1));
  await until(() => client.closed, 'the connection is closed');
  assert.ok(service.log.some((line) => line.includes('request id 1 is in use already')));
});

test('[SRV-33] from a client that does not read nothing is read, and others go on', async () => {
  const limits = { pauseOutputBytes: 500_000, maxOutputBytes: 2 ** 30 };
  await using service = await NetworkService.start({ service: limits });
  service.node.apply(put('big', new Uint8Array(500_000)));
  using slow = await NetworkClient.connect(service);
  using other = await NetworkClient.connect(service);
  slow.socket.pause();
  // Far more than the two kernels' buffers take.
  const first = Array.from({ length: 100 }, (_, i): Request => get(i + 1));
  slow.send(...first);
  await asked(service, first.length);
  const server = service.accepted[0]!;
  assert.ok(server.isPaused());
  slow.send(get(101));
  other.send({ type: 'status', id: 1 });
  await until(() => other.of(1).length === 1, 'the other client is answered');
  assert.ok(server.isPaused());
  assert.equal(service.node.status().pendingCommands, 0, 'the last request was not read');
  slow.socket.resume();
  await asked(service, 1);
  await until(() => slow.responses.length === 101, 'everything is answered');
});

test('[SRV-34] a client that lets too much wait is disconnected', async () => {
  const limits = { pauseOutputBytes: 100_000, maxOutputBytes: 20_000_000 };
  await using service = await NetworkService.start({ service: limits });
  service.node.apply(put('big', new Uint8Array(1_000_000)));
  using slow = await NetworkClient.connect(service);
  slow.socket.pause();
  slow.send(...Array.from({ length: 60 }, (_, i): Request => get(i + 1)));
  await asked(service, 60);
  await until(() => service.service.clients === 0, 'the client is gone');
  assert.ok(service.log.some((line) => line.includes('does not read its answers')));
});

test('[SRV-35] a watch over a socket waits for its client, and goes on without a gap', async () => {
  const limits = { pauseOutputBytes: 100_000, watchWindowBytes: 2 ** 30 };
  await using service = await NetworkService.start({ service: limits });
  using client = await NetworkClient.connect(service);
  client.send({ type: 'watch', id: 1, start: '', end: undefined, from: 1, filter: UNFILTERED });
  await until(() => client.of(1).length === 1, 'the watch starts');
  client.socket.pause();
  const server = service.accepted[0]!;
  for (let i = 0; i < 100; i++) {
    service.node.apply(put('big', new Uint8Array(500_000)));
    service.node.turn();
    service.schedule.drain();
    await until(() => true, 'writes leave');
  }
  // Without falling behind, 100 MB would be waiting in the server.
  assert.ok(server.writableLength < 5_000_000, `${server.writableLength} bytes wait`);
  client.socket.resume();
  const seen = (): number[] =>
    client
      .of(1)
      .flatMap((response) =>
        response.type === 'watchEvents'
          ? decodeEvents(response.payload).map((one): number => one.revision)
          : [],
      );
  await until(() => {
    service.schedule.drain();
    return seen().length === 100;
  }, 'everything arrives');
  assert.deepEqual(
    seen(),
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
});

test('[SRV-36] when a client goes, its watches go with it', async () => {
  await using service = await NetworkService.start();
  using client = await NetworkClient.connect(service);
  client.send({ type: 'watch', id: 1, start: '', end: undefined, from: 1, filter: UNFILTERED });
  await until(() => client.of(1).length === 1, 'the watch starts');
  client.socket.destroy();
  await until(() => service.service.clients === 0, 'the server notices');
  service.node.apply(put('a', 'x'));
  service.node.turn();
  assert.deepEqual(service.log, []);
});

test('[SRV-37] an answer that fits in no frame is an error, not silence', async () => {
  await using service = await NetworkService.start({ service: { maxFrameBytes: 65_536 } });
  service.node.apply(put('big', new Uint8Array(70_000)));
  using client = await NetworkClient.connect(service);
  client.send(get(1));
  await asked(service, 1);
  await until(() => client.of(1).length === 1, 'the answer comes');
  const [response] = client.of(1);
  assert.equal(response?.type, 'error');
  assert.equal(response.code, 'too-large');
});

test('[SRV-38] closing answers what is open and then ends the connections', async () => {
  await using service = await NetworkService.start();
  using client = await NetworkClient.connect(service);
  client.send(get(1), {
    type: 'watch',
    id: 2,
    start: '',
    end: undefined,
    from: 1,
    filter: UNFILTERED,
  });
  await until(() => client.of(2).length === 1, 'the watch starts');
  service.service.close();
  await until(() => client.closed, 'the connection ends');
  assert.equal(client.of(1)[0]?.type, 'error');
  assert.equal(client.of(2)[1]?.type, 'watchEnded');
});
