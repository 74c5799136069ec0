import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { systemClientEnvironment } from '../../src/client/index.ts';
import { ClusterPin } from '../../src/client/cluster-pin.ts';
import type { EndpointEvents, OpenEndpoint } from '../../src/client/link.ts';
import { tcpEndpoints } from '../../src/client/tcp-endpoint.ts';
import { decodeRequest, encodeResponse, RESPONSE_FRAME } from '../../src/protocol/index.ts';
import type { Channel, Request, Response } from '../../src/protocol/index.ts';
import {
  acceptHello,
  encodeClientWelcome,
  encodeFrame,
  readHello,
  receiveFrames,
  refuseHello,
} from '../../src/wire/index.ts';

const setTimer = systemClientEnvironment.setTimer.bind(systemClientEnvironment);
const options = {
  clusterName: 'mine',
  connectTimeoutMs: 5_000,
  environment: systemClientEnvironment,
  tls: undefined,
};
const open = tcpEndpoints({ ...options, pin: undefined });

interface Listening extends AsyncDisposable {
  readonly address: string;
}

async function listen(serve: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    address: `127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** A node that welcomes everyone and answers requests by `answer`. */
function node(
  answer: (request: Request, socket: Socket) => Response | undefined,
  clusterId = '',
): (socket: Socket) => void {
  return (socket: Socket): void => {
    readHello(socket, { timeoutMs: 5_000, setTimer }, (result) => {
      if (result.type !== 'hello') return;
      const welcome = { nodeId: 'n1', clusterName: 'mine', clusterId, leaderAddress: 'n2:1' };
      acceptHello(socket, 'client', encodeClientWelcome(welcome));
      receiveFrames(socket, result.decoder, {
        frame: ({ head }) => {
          const response = answer(decodeRequest(head), socket);
          if (response !== undefined) {
            socket.write(encodeFrame(RESPONSE_FRAME, encodeResponse(response)));
          }
        },
        closed: () => undefined,
      });
    });
  };
}

interface Opened {
  readonly channel: Channel;
  readonly responses: Response[];
  readonly nodeId: Promise<string>;
  readonly closed: Promise<{ readonly reason: string; readonly code: string | undefined }>;
  readonly answered: (count: number) => Promise<void>;
}

function connectTo(address: string, openIt: OpenEndpoint = open): Opened {
  const responses: Response[] = [];
  let arrived: (() => void) | undefined;
  let events: EndpointEvents | undefined;
  let channel: Channel | undefined;
  const nodeId = new Promise<string>((resolveOpened) => {
    events = {
      opened: resolveOpened,
      response: (response) => {
        responses.push(response);
        arrived?.();
      },
      closed: () => undefined,
    };
  });
  const closed = new Promise<{ reason: string; code: string | undefined }>((resolve) => {
    if (events === undefined) throw new Error('no events');
    channel = openIt(address, { ...events, closed: (reason, code) => resolve({ reason, code }) });
  });
  if (channel === undefined) throw new Error('no channel');
  const answered = async (count: number): Promise<void> => {
    while (responses.length < count) {
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    }
  };
  return { channel, responses, nodeId, closed, answered };
}

test('[API-70] a connection opens with a hello; the welcome tells node and leader', async () => {
  await using server = await listen(
    node(({ id }) => ({ type: 'ok', id, payload: new Uint8Array() })),
  );
  const { channel, responses, nodeId, answered } = connectTo(server.address);
  assert.equal(await nodeId, 'n1');
  assert.deepEqual(responses, [{ type: 'leader', id: 0, address: 'n2:1' }]);
  channel.send({ type: 'transfer', id: 7, timeoutMs: 1, to: '' });
  await answered(2);
  assert.equal(responses[1]?.id, 7);
  channel.close();
});

test('[API-71] all requests of one turn leave in one write, answered in any order', async () => {
  let chunks = 0;
  const waiting: number[] = [];
  await using server = await listen((socket) => {
    node(({ id }) => {
      waiting.push(id);
      if (waiting.length < 200) return undefined;
      for (const other of waiting.toReversed()) {
        const response = { type: 'ok', id: other, payload: new Uint8Array(0) } as const;
        socket.write(encodeFrame(RESPONSE_FRAME, encodeResponse(response)));
      }
      return undefined;
    })(socket);
    socket.on('data', () => chunks++);
  });
  const { channel, nodeId, responses, answered } = connectTo(server.address);
  await nodeId;
  chunks = 0;
  for (let id = 1; id <= 200; id++) channel.send({ type: 'status', id });
  await answered(201);
  assert.equal(chunks, 1);
  assert.deepEqual(
    responses.slice(1).map(({ id }) => id),
    Array.from({ length: 200 }, (_, i) => 200 - i),
  );
  channel.close();
});

const silent = (): undefined => undefined;

test('[API-128] the first cluster that is met is kept to', async () => {
  await using unborn = await listen(node(silent));
  await using first = await listen(node(silent, 'first'));
  await using second = await listen(node(silent, 'second'));
  const pinned = tcpEndpoints({ ...options, pin: new ClusterPin('') });
  // Whoever has met no cluster takes what comes.
  const met = [unborn, first, first].map(({ address }) => connectTo(address, pinned));
  for (const { nodeId, channel } of met) {
    assert.equal(await nodeId, 'n1');
    channel.close();
  }
  const other = await connectTo(second.address, pinned).closed;
  assert.equal(other.code, 'wrong-cluster');
  assert.match(other.reason, /'mine' with id second, not first/);
  const early = await connectTo(unborn.address, pinned).closed;
  assert.deepEqual(early, { reason: 'it is in no cluster yet', code: undefined });
});

test('[API-72] refusal, garbage and loss each end a channel with a reason', async () => {
  await using refusing = await listen((socket) => {
    readHello(socket, { timeoutMs: 5_000, setTimer }, () => {
      const refusal = { code: 'wrong-cluster', reason: "this is cluster 'other'" };
      refuseHello(socket, 'client', refusal, setTimer);
    });
  });
  const refused = await connectTo(refusing.address).closed;
  assert.deepEqual(refused, { reason: "this is cluster 'other'", code: 'wrong-cluster' });

  await using http = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const stranger = await connectTo(http.address).closed;
  assert.match(stranger.reason, /not Holdfast's protocol \(an HTTP server\?\)/);

  await using garbage = await listen(
    node((_request, socket) => {
      socket.write(Buffer.alloc(64, 0x5a));
      return undefined;
    }),
  );
  const garbled = connectTo(garbage.address);
  await garbled.nodeId;
  garbled.channel.send({ type: 'status', id: 1 });
  assert.match((await garbled.closed).reason, /checksum/);

  await using leaving = await listen(
    node((_request, socket) => {
      socket.destroy();
      return undefined;
    }),
  );
  const left = connectTo(leaving.address);
  await left.nodeId;
  left.channel.send({ type: 'status', id: 1 });
  assert.equal((await left.closed).code, undefined);
});

test('[API-73] a request over the frame limit is refused here alone', async () => {
  await using server = await listen(
    node(({ id }) => ({ type: 'ok', id, payload: new Uint8Array() })),
  );
  const { channel, nodeId, responses, answered } = connectTo(server.address);
  await nodeId;
  const command = new Uint8Array(17 * 1_048_576);
  channel.send({ type: 'propose', id: 1, timeoutMs: 1, command });
  channel.send({ type: 'status', id: 2 });
  await answered(3);
  const [, tooLarge, other] = responses;
  assert.ok(tooLarge?.type === 'error' && tooLarge.code === 'too-large');
  assert.equal(tooLarge.outcome, 'not-applied');
  assert.equal(other?.id, 2);
  channel.close();
});
