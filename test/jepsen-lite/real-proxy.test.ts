/** The proxies between real processes, between two plain sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PeerProxies } from '../../jepsen-lite/real/proxies.ts';
import { ProxyPort } from '../../jepsen-lite/real/proxy-port.ts';

const SOME_TURNS = 50;

interface Pair {
  readonly proxy: ProxyPort;
  readonly near: Socket;
  readonly far: Socket;
  /** Everything that came so far, as text. */
  readonly heard: { near: string; far: string };
}

const opened: { close(): void | Promise<void> }[] = [];
after(async () => {
  for (const one of opened) await one.close();
});

function listen(socket: Socket, heard: Pair['heard'], side: 'near' | 'far'): void {
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => (heard[side] += bytes.toString('latin1')));
}

/** Two ends of a connection through a proxy. */
async function pair(): Promise<Pair> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const proxy = await ProxyPort.open(`127.0.0.1:${address.port}`, () => 0.5);
  const accepted = once(server, 'connection');
  const near = connect(Number(proxy.address.split(':')[1]), '127.0.0.1');
  const [far] = (await accepted) as [Socket];
  const heard = { near: '', far: '' };
  listen(near, heard, 'near');
  listen(far, heard, 'far');
  opened.push(proxy, { close: () => void near.destroy() }, { close: () => void server.close() });
  return { proxy, near, far, heard };
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await turn();
}

/** Long enough for what is not held back to arrive on loopback, however often it is late. */
async function passTime(): Promise<void> {
  for (let i = 0; i < SOME_TURNS; i++) await turn();
}

test('[REAL-1] a cut holds back one direction and nothing is lost by it', async () => {
  const { proxy, near, far, heard } = await pair();
  proxy.forth.cut();
  near.write('lost?');
  far.write('passes');
  await until(() => heard.near === 'passes');
  await passTime();
  assert.equal(heard.far, '', 'the direction that is cut');
  proxy.forth.heal();
  await until(() => heard.far === 'lost?');
});

test('[REAL-1] the end of a connection is not seen through a cut', async () => {
  const { proxy, near, far } = await pair();
  proxy.forth.cut();
  near.destroy();
  await passTime();
  assert.equal(far.closed, false);
  const closed = once(far, 'close');
  proxy.forth.heal();
  await closed;
});

test('[REAL-1] a connection is cut in the middle of what is sent', async () => {
  const { proxy, near, far, heard } = await pair();
  const closed = once(far, 'close');
  proxy.spoilAll('frame');
  near.write('abcdefgh');
  await closed;
  assert.equal(heard.far, 'abcd');
  assert.equal(proxy.connections, 0);
});

test('[REAL-1] one bit of what is sent is flipped, and only once', async () => {
  const { proxy, near, heard } = await pair();
  proxy.spoilAll('corrupt');
  near.write('aaaa');
  await until(() => heard.far.length === 4);
  assert.equal(heard.far.replaceAll('a', '').length, 1);
  near.write('bbbb');
  await until(() => heard.far.length === 8);
  assert.equal(heard.far.slice(4), 'bbbb');
});

test('[REAL-1] what a cut holds back is bounded', async () => {
  const { proxy, near } = await pair();
  proxy.forth.cut();
  const piece = Buffer.alloc(1 << 20);
  let sent = 0;
  // The proxy stops reading, then the sender hears that there is no room.
  while (sent < 64 && near.writableLength < 4 * piece.length) {
    near.write(piece);
    sent += 1;
    await passTime();
  }
  assert.ok(sent < 64, `${sent} MiB were taken in`);
});

test('[REAL-1] what a slow link is given comes later, and in its time', async () => {
  const { proxy, near, heard } = await pair();
  const fromMs = performance.now();
  proxy.forth.slow(60, 100);
  near.write(Buffer.alloc(5_000, 'x'));
  await until(() => heard.far.length === 5_000);
  assert.ok(performance.now() - fromMs >= 100, '60 ms, and 50 ms for its length');
});

test('[REAL-1] bad weather breaks connections in the middle, or flips bits', async () => {
  const broken = await pair();
  const closed = once(broken.far, 'close');
  broken.proxy.forth.setWeather({ delayMs: 0, loss: 1, corrupt: 0 });
  broken.near.write('abcdefgh');
  await closed;
  assert.equal(broken.heard.far, 'abcd');
  const spoiled = await pair();
  spoiled.proxy.forth.setWeather({ delayMs: 0, loss: 0, corrupt: 1 });
  spoiled.near.write('aaaa');
  await until(() => spoiled.heard.far.length === 4);
  assert.notEqual(spoiled.heard.far, 'aaaa');
});

test('[REAL-1] of all links only those named are cut, and only that way', async (t) => {
  const heard = new Map<string, string>();
  const servers = ['a', 'b', 'c'].map((id) => {
    return createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (from: Buffer) => heard.set(`${from.toString()}${id}`, 'heard'));
    }).listen(0, '127.0.0.1');
  });
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const endpoints = new Map(
    servers.map((server, i) => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      return ['abc'[i]!, `127.0.0.1:${address.port}`];
    }),
  );
  const proxies = await PeerProxies.open(endpoints, () => 0.5);
  const cut = [
    ['a', 'b'],
    ['b', 'c'],
  ] as const;
  proxies.cut(cut);
  const sockets = [...endpoints.keys()].flatMap((from) =>
    proxies
      .routesOf(from)
      .split(',')
      .map((route) => {
        const socket = connect(Number(route.split(':')[1]), '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(from);
        return socket;
      }),
  );
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await proxies.close();
    for (const server of servers) server.close();
  });
  await until(() => heard.size === 4);
  await passTime();
  assert.deepEqual([...heard.keys()].toSorted(), ['ac', 'ba', 'ca', 'cb']);
  proxies.heal(cut);
  await until(() => heard.size === 6);
});
