/**
 * A registry of workers in a table: each entry is linked to its worker's session and vanishes with
 * it, and a supervisor that monitors the entries is told of each end, once. Here all of them share
 * a process; each would be one of yours.
 *
 *     npm run example table-with-edges
 */
import { Holdfast, MemoryLogStore, type Notice, type Session } from 'holdfast';

await using node = await Holdfast.start({
  id: 'a',
  listen: '127.0.0.1:0',
  store: new MemoryLogStore(),
});
const { registry } = node;
const workers = await registry.table('workers');

/** A worker's session, and the entry that lives no longer than that. */
async function startWorker(name: string, address: string): Promise<Session> {
  const session = await registry.openSession({ label: name, ttl: '10s' });
  const outcome = await workers.storeConnect('backward_link', session, name, address);
  if (outcome.stored) return session;
  await session.close();
  throw new Error(`${name} works already, at ${outcome.current.text()}`);
}

async function showWorkers(): Promise<void> {
  const names = (await workers.toList()).map((entry) => `${entry.key} at ${entry.text()}`);
  console.log(`workers: ${names.join(', ') || 'none'}`);
}

const first = await startWorker('first', '10.0.0.1:80');
await startWorker('second', '10.0.0.2:80');
await showWorkers();
await startWorker('first', '10.0.0.9:80').catch((error: Error) => console.log(error.message));

// Edges of the registry's own session, which is told and not closed.
await workers.connect('monitor', 'self', 'first');
await workers.connect('monitor', 'self', 'second');
// The supervisor would say `for await (const notice of registry.notices())`; here one at a time.
await using notices = registry.notices();
const iterator = notices[Symbol.asyncIterator]();
async function showNext(): Promise<void> {
  const { value } = await iterator.next();
  const { connection, reason } = value as Notice;
  console.log(`the supervisor is told: ${connection.key} is gone (${reason.type})`);
}

await first.close(); // or it is not renewed for 10 s
await showNext();
await showWorkers();

await workers.erase('second');
await showNext();

// To something that is gone already: told at once.
await workers.connect('monitor', 'self', 'first');
await showNext();
