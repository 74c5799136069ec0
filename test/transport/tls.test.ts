/** The same port under TLS. The certificates are test fixtures that nothing else trusts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { TlsOptions } from '../../src/transport/index.ts';
import { parseAddress } from '../../src/wire/index.ts';
import { introduce, TcpTestNetwork, type TcpTestNode } from './support/networks.ts';
import { eventually, forward, heartbeat, nodeId } from './support/recorder.ts';
import { Rogue } from './support/rogue.ts';

// The tests run from the compiled tree; the fixtures stay beside the sources.
const FIXTURES = new URL('../../../test/transport/fixtures/', import.meta.url);

function fixture(name: string): string {
  return readFileSync(new URL(name, FIXTURES), 'utf8');
}

const cluster = { key: fixture('cluster.key'), cert: fixture('cluster.pem') };
const stranger = { key: fixture('stranger.key'), cert: fixture('stranger.pem') };
const ca = fixture('cluster-ca.pem');
const mutual: TlsOptions = { ...cluster, ca, requestClientCertificate: true };

const network = new TcpTestNetwork();
afterEach(() => network.closeAll());

function start(name: string, tls: TlsOptions | undefined): Promise<TcpTestNode> {
  return network.start(name, {}, '127.0.0.1:0', tls === undefined ? {} : { tls });
}

test('[NET-26] peers with certificates of one authority talk, snapshots included', async () => {
  const a = await start('a', mutual);
  const b = await start('b', mutual);
  introduce(a, b);
  await eventually('they are connected', () => a.recorder.hasSeen('b') && b.recorder.hasSeen('a'));
  await eventually('snapshots may go', () => a.transport.snapshotReady(nodeId('b')));
  a.transport.send(heartbeat('a', 'b', 1));
  a.transport.send(forward('a', 'b', new Uint8Array(1 << 20)));
  await eventually('all has arrived', () => b.recorder.received.length === 2);
  assert.deepEqual([a.recorder.notices, b.recorder.notices], [[], []]);
});

test('[NET-26] a peer whose certificate another authority signed is refused', async () => {
  const a = await start('a', mutual);
  const b = await start('b', { ...stranger, ca, requestClientCertificate: true });
  a.transport.setPeers(new Map([[nodeId('b'), b.address]]));
  b.transport.setPeers(new Map([[nodeId('a'), a.address]]));
  await eventually('the dialer says why', () => a.recorder.noticed(/peer 'b'.*verify/) > 0);
  await eventually(
    'the one dialed says why',
    () => a.recorder.noticed(/TLS failed.*not trusted/) > 0,
  );
  assert.deepEqual([a.recorder.seen, b.recorder.seen], [[], []]);
});

test('[NET-26] whoever has no certificate is refused when one is demanded', async () => {
  const a = await start('a', mutual);
  const socket = connectTls({ ...parseAddress(a.address), ca });
  let said = '';
  socket.on('error', () => undefined).on('data', (bytes: Buffer) => (said += bytes.toString()));
  await eventually('the connection is closed', () => socket.destroyed);
  assert.match(said, /wrong-certificate.*your certificate is missing/);
  await eventually(
    'with a reason',
    () => a.recorder.noticed(/TLS failed.*certificate is missing/) > 0,
  );
});

test('[NET-26] plain speech to a port with TLS is refused, and the other way round', async () => {
  const a = await start('a', mutual);
  const plain = await start('p', undefined);
  const rogue = new Rogue(a.address).send('HLDF\u0001\u0000\u0001\u0000');
  await eventually('the connection is closed', () => rogue.closed);
  await eventually('with a reason', () => a.recorder.noticed(/TLS failed/) > 0);
  a.transport.setPeers(new Map([[nodeId('p'), plain.address]]));
  await eventually('TLS is noticed', () => plain.recorder.noticed(/TLS spoken to a port/) > 0);
  assert.deepEqual([a.recorder.seen, plain.recorder.seen], [[], []]);
});

test('[NET-24] connections that never finish TLS count as strangers too', async () => {
  const limits = { maxPendingHandshakes: 2, handshakeTimeoutMs: 200 };
  const a = await network.start('a', {}, '127.0.0.1:0', { tls: mutual, limits });
  const rogues = Array.from({ length: 4 }, () => new Rogue(a.address));
  await eventually('too many are noticed', () => a.recorder.noticed(/more than 2/) === 1);
  await eventually('all are closed in time', () => rogues.every((rogue) => rogue.closed));
  const b = await start('b', mutual);
  b.transport.setPeers(new Map([[nodeId('a'), a.address]]));
  await eventually('there is room for a peer', () => b.recorder.hasSeen('a'));
});
