/**
 * Three nodes of one cluster. Here they share a process so that one command shows everything; in
 * your service each process starts one of them.
 *
 *     npm run example embed-a-node
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Holdfast } from 'holdfast';
import { SqliteLogStore } from 'holdfast/adapters/sqlite';

const directory = await mkdtemp(join(tmpdir(), 'holdfast-embed-'));
const port = Number(process.env['PORT'] ?? 7441);
const peers = {
  a: `127.0.0.1:${port}`,
  b: `127.0.0.1:${port + 1}`,
  c: `127.0.0.1:${port + 2}`,
};

const [a, b, c] = await Promise.all(
  Object.entries(peers).map(([id, listen]) =>
    Holdfast.start({
      id,
      listen,
      peers,
      store: new SqliteLogStore({ path: join(directory, `${id}.db`) }),
    }),
  ),
);
if (a === undefined || b === undefined || c === undefined) throw new Error('no nodes');

console.log(`${await a.waitForLeader()} leads`);

// Any node takes any call: followers forward what only the leader can do.
const written = await a.registry.put('config/rate', '100', { ttl: '10m' });
const read = await b.registry.get('config/rate');
console.log(`a wrote revision ${written.modRevision}; b reads ${read?.text()}`);

// A watch on one node sees what is written through another, in order and without a gap.
const watch = c.registry.watch({ prefix: 'config/' });
await watch.started;
await b.registry.put('config/rate', '200');
for await (const event of watch) {
  console.log(`c saw ${event.type} ${event.key} = ${event.record.text()}`);
  break;
}

// The lock's fencing token grows from holder to holder: pass it to what you guard.
await b.registry.withLock('jobs/nightly', { wait: '5s' }, async ({ token, signal }) => {
  console.log(`b works alone, with fencing token ${token}; still ours: ${!signal.aborted}`);
});

await Promise.all([a, b, c].map((node) => node.stop()));
await rm(directory, { recursive: true, force: true });
