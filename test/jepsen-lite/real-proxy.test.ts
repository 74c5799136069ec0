/** The proxies between real processes, between two plain sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
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
