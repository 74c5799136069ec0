/** What the TCP transport does when a peer is slow, silent, away or overfed. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { HoldfastError } from '../../src/base/index.ts';
import { Backoff } from '../../src/transport/tcp/backoff.ts';
import { QueueLimit } from '../../src/transport/tcp/queue-limit.ts';
import { encodeFrame, FrameKind, HelloReader, type FrameDecoder } from '../../src/wire/index.ts';
import type { TransportEnvironment } from '../../src/transport/index.ts';
import { addressesOf, introduce, TcpTestNetwork } from './support/networks.ts';
import {
  eventually,
  forward,
  heartbeat,
  identityOf,
  nodeId,
  snapshotChunk,
  systemEnvironment,
} from './support/recorder.ts';
import { Rogue } from './support/rogue.ts';
import { StuckServer } from './support/stuck-server.ts';

let network: TcpTestNetwork;
const servers: StuckServer[] = [];

beforeEach(() => {
  network = new TcpTestNetwork();
});
afterEach(async () => {
  await network.closeAll();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function stuckServer(...reads: readonly string[]): Promise<StuckServer> {
  const server = new StuckServer('x', (streamKind) => reads.includes(streamKind));
  servers.push(server);
  await server.listen();
  return server;
}

test('[NET-21] a peer that stops reading costs its queue, and others flow', async () => {
  const limits = { maxQueueBytes: 1 << 20, missedPings: 10_000 };
  const a = await network.start('a', {}, '127.0.0.1:0', { limits });
  const b = await network.start('b');
  const stuck = await stuckServer('snapshot');
  a.transport.setPeers(new Map([...addressesOf(b), [nodeId('x'), stuck.address]]));
  await eventually('both are there', () => a.recorder.hasSeen('b') && a.recorder.hasSeen('x'));

  const payload = new Uint8Array(256 << 10);
  const total = 1000;
  for (let i = 0; i < total; i++) {
    a.transport.send(forward('a', 'x', payload));
    a.transport.send(heartbeat('a', 'b', i));
    a.transport.flush();
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually('others have heard all', () => b.recorder.received.length === total);
  assert.deepEqual(a.recorder.lost, ['x'], 'the loss is told once');
  assert.equal(a.recorder.noticed(/'x'.*bytes waiting, dropping/), 1);

  stuck.unstick();
  const heartbeats = (): number =>
    stuck.received.filter((message) => message.type === 'heartbeatRequest').length;
  await eventually('it is served again', () => {
    a.transport.send(heartbeat('a', 'x', 1));
    return heartbeats() > 0;
  });
  // What arrives was in the queue or in the two kernels' buffers: a fraction of the 250 MiB sent.
  const arrived = stuck.received.length - heartbeats();
  assert.ok(arrived > 0 && arrived < total / 4, `${arrived} of ${total} were kept`);
});

test('[NET-21] a queue that was full takes nothing until half has left, and tells once', () => {
  let told = 0;
  const limit = new QueueLimit(100, () => told++);
  assert.deepEqual(
    [0, 99, 100, 150, 99, 51, 50].map((queued) => limit.admits(queued)),
    [true, true, false, false, false, false, false],
  );
  assert.equal(told, 1);
  assert.deepEqual([limit.admits(49), limit.admits(99), limit.admits(100)], [true, true, false]);
  assert.equal(told, 2);
});

test('[NET-22] heartbeats pass while the snapshot stream is stuck', async () => {
  const limits = { missedPings: 10_000 };
  const a = await network.start('a', {}, '127.0.0.1:0', { limits });
  const stuck = await stuckServer('peer');
  a.transport.setPeers(new Map([[nodeId('x'), stuck.address]]));
  await eventually('snapshots may go', () => a.transport.snapshotReady(nodeId('x')));
  const chunk = new Uint8Array(1 << 20);
  let sent = 0;
  // Fills the kernels' buffers, then the queue.
  while (a.transport.snapshotReady(nodeId('x'))) {
    a.transport.send(snapshotChunk('a', 'x', chunk));
    a.transport.flush();
    assert.ok(++sent < 500, 'the stream takes no end of chunks');
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (let round = 1; round <= 3; round++) {
    a.transport.send(heartbeat('a', 'x', round));
    await eventually('the heartbeat arrives', () => stuck.received.length === round);
  }
  assert.ok(stuck.received.every((message) => message.type === 'heartbeatRequest'));
  assert.deepEqual(a.recorder.lost, []);
  stuck.unstick();
  await eventually('every chunk arrives', () => stuck.received.length === 3 + sent);
  await eventually('there is room again', () => a.transport.snapshotReady(nodeId('x')));
});

test('[NET-25] a peer without a sign of life is given up and dialed again', async () => {
  const limits = { pingIntervalMs: 10, missedPings: 3 };
  const a = await network.start('a', {}, '127.0.0.1:0', { limits });
  // It reads and says nothing, as a process that hangs after the handshake.
  const mute = await stuckServer('peer', 'snapshot');
  a.transport.setPeers(new Map([[nodeId('x'), mute.address]]));
  await eventually('it is given up', () => a.recorder.noticed(/no sign of life for 30 ms/) > 0);
  assert.equal(a.recorder.lost[0], 'x');
  const peers = (): number => mute.accepted.filter((kind) => kind === 'peer').length;
  await eventually('it is dialed again', () => peers() > 1);
});

test('[NET-25] a stream that carries bytes is told so, a silent one is closed', async () => {
  const limits = { pingIntervalMs: 10, missedPings: 3 };
  const b = await network.start('b', {}, '127.0.0.1:0', { limits });
  const rogue = new Rogue(b.address).greet(identityOf('x'));
  const kinds = (): number[] => {
    const decoder = new HelloReader('helloReply').push(rogue.received)?.decoder;
    return decoder === undefined ? [] : kindsIn(decoder);
  };
  await eventually('bytes are answered', () => {
    rogue.send(encodeFrame(FrameKind.ping, new Uint8Array(0)));
    return kinds().length >= 3;
  });
  assert.ok(kinds().every((kind) => kind === FrameKind.pong));
  await eventually('silence is not borne', () => rogue.closed);
  assert.deepEqual(b.recorder.lost, [], 'nothing was on its way to that peer');
});

/** Knows which timers are still set. */
class TimerLedger {
  live = 0;
  firedLate = 0;
  #late = false;
  readonly environment: TransportEnvironment = {
    ...systemEnvironment,
    setTimer: (delayMs, callback) => {
      this.live++;
      let set = true;
      const end = (): void => {
        if (set) this.live--;
        set = false;
      };
      const cancel = systemEnvironment.setTimer(delayMs, () => {
        end();
        if (this.#late) this.firedLate++;
        callback();
      });
      return () => {
        end();
        cancel();
      };
    },
  };

  forbidFiring(): void {
    this.#late = true;
  }
}

function kindsIn(decoder: FrameDecoder): number[] {
  const kinds: number[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
    kinds.push(frame.kind);
  }
  return kinds;
}

test('[NET-25] idle peers stay connected', async () => {
  const limits = { pingIntervalMs: 10, missedPings: 20 };
  let intervals = 0;
  const environment = {
    ...systemEnvironment,
    setTimer(delayMs: number, callback: () => void) {
      if (delayMs === limits.pingIntervalMs) intervals++;
      return systemEnvironment.setTimer(delayMs, callback);
    },
  };
  const a = await network.start('a', {}, '127.0.0.1:0', { limits, environment });
  const b = await network.start('b', {}, '127.0.0.1:0', { limits, environment });
  introduce(a, b);
  // Eight ends of streams count intervals: some forty each, twice what silence would be allowed.
  await eventually('many intervals pass', () => intervals > 8 * 40);
  assert.deepEqual([a.recorder.lost, b.recorder.lost], [[], []]);
  assert.deepEqual([a.recorder.notices, b.recorder.notices], [[], []]);
});

test('[NET-6] a message longer than a frame may be is dropped alone, and said so', async () => {
  network = new TcpTestNetwork({ limits: { maxFrameBytes: 1 << 20 } });
  const a = await network.start('a');
  const b = await network.start('b');
  introduce(a, b);
  await eventually('they are connected', () => a.transport.snapshotReady(nodeId('b')));
  a.transport.send(heartbeat('a', 'b', 1));
  a.transport.send(forward('a', 'b', new Uint8Array(2 << 20)));
  a.transport.send(heartbeat('a', 'b', 2));
  await eventually('its neighbours arrive', () => b.recorder.received.length === 2);
  assert.deepEqual(b.recorder.rounds(), [1, 2]);
  assert.equal(a.recorder.noticed(/dropped a forwardRequest longer than 1048576 bytes/), 1);
  assert.deepEqual(a.recorder.lost, []);
});

test('[NET-16] a peer that is away is dialed on and on, and complained of once', async () => {
  let attempts = 0;
  const random = (): number => {
    attempts++;
    return 0.5;
  };
  const environment = { ...systemEnvironment, random };
  const b = await network.start('b');
  await b.transport.close();
  const a = await network.start('a', {}, '127.0.0.1:0', { environment });
  a.transport.setPeers(addressesOf(b));
  await eventually('it was tried again and again', () => attempts >= 6);
  assert.equal(a.recorder.notices.length, 1);
  assert.match(a.recorder.notices[0] ?? '', /peer 'b' at .*ECONNREFUSED/);
  assert.deepEqual(a.recorder.lost, [], 'nothing was ever on its way there');
});

test('[NET-16] every loss of a connection is logged, though it is the same again', async () => {
  const a = await network.start('a');
  const peer = await stuckServer('peer', 'snapshot');
  a.transport.setPeers(new Map([[nodeId('x'), peer.address]]));
  for (let loss = 1; loss <= 3; loss++) {
    await eventually('it is connected', () => a.recorder.seen.length === loss);
    peer.hangUpAll();
    await eventually('the loss is logged', () => {
      return a.recorder.noticed(/peer 'x' at [^ ]*: closed by the peer/) === loss;
    });
  }
});

test('[NET-18] no timer outlives a transport that was closed', async () => {
  const timers = new TimerLedger();
  const { environment } = timers;
  const b = await network.start('b');
  const gone = await network.start('c');
  await gone.transport.close();
  const a = await network.start('a', {}, '127.0.0.1:0', { environment });
  a.transport.setPeers(addressesOf(b, gone));
  await eventually('one is there, one is not', () => {
    return a.recorder.hasSeen('b') && a.recorder.notices.length > 0;
  });
  await a.transport.close();
  timers.forbidFiring();
  await eventually('every timer is cancelled', () => timers.live === 0);
  assert.equal(timers.firedLate, 0);
});

test('[NET-16] a peer that connects by itself is dialed at once', async () => {
  const limits = { minRetryMs: 120_000, maxRetryMs: 120_000 };
  const b = await network.start('b');
  await b.transport.close();
  const a = await network.start('a', {}, '127.0.0.1:0', { limits });
  a.transport.setPeers(addressesOf(b));
  await eventually('the first attempt has failed', () => a.recorder.notices.length === 1);
  const again = await network.start('b', {}, b.address, {
    prepare: (transport) => transport.setPeers(addressesOf(a)),
  });
  await eventually('it has been reached', () => again.recorder.hasSeen('a'));
  await eventually('it can be spoken to', () => {
    a.transport.send(heartbeat('a', 'b', 1));
    return again.recorder.received.length > 0;
  });
});

test('[NET-16] pauses double up to the longest, are jittered, and start over', () => {
  const longest = new Backoff(20, 500, () => 1);
  const delays = Array.from({ length: 7 }, () => longest.nextDelayMs());
  assert.deepEqual(delays, [20, 40, 80, 160, 320, 500, 500]);
  longest.reset();
  assert.equal(longest.nextDelayMs(), 20);
  const shortest = new Backoff(20, 500, () => 0);
  assert.deepEqual([shortest.nextDelayMs(), shortest.nextDelayMs()], [10, 20]);
});

test('[NET-28] an address that is none is reported, not thrown', async () => {
  const a = await network.start('a');
  a.transport.setPeers(new Map([[nodeId('b'), 'nonsense']]));
  await eventually('it is reported', () => a.recorder.noticed(/'nonsense' is not host:port/) === 1);
});

test('[NET-19] an interface this machine does not have is refused by name', async () => {
  await assert.rejects(network.start('a', {}, undefined, { host: '192.0.2.1' }), (error) => {
    return error instanceof HoldfastError && /192\.0\.2\.1/.test(error.message);
  });
});
