/**
 * A backup of a running node, and a new cluster that begins with it.
 *
 *     npm run example backup
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Holdfast, inspectBackup, MemoryLogStore, restoreBackup, saveBackup } from 'holdfast';

const directory = await mkdtemp(join(tmpdir(), 'holdfast-backup-'));
const file = join(directory, 'monday.hfb');
const listen = `127.0.0.1:${process.env['PORT'] ?? '7461'}`;
const peers = { a: listen };

const old = await Holdfast.start({ id: 'a', listen, peers, store: new MemoryLogStore() });
await old.registry.put('config/rate', '100');
const before = await old.registry.lock('jobs/nightly');

// Everything acknowledged so far is in it; what is written meanwhile is not.
const bytes = await saveBackup(old.backup(), file);
const { keys, sessions } = await inspectBackup(file);
console.log(`saved keys: ${keys}, one of them the lock's; sessions: ${sessions}; bytes: ${bytes}`);

// The cluster goes on, and is lost: nobody will ever know this token.
await before.unlock();
const lost = await old.registry.lock('jobs/nightly');
await old.stop();

// Once for every node of the new cluster, each with a store of its own; here there is one.
const store = new MemoryLogStore();
const restored = await restoreBackup({ file, store, id: 'a', peers });
console.log(
  `restored keys: ${restored.keys}; sessions ended, with locks: ${restored.endedSessions}`,
);

await using node = await Holdfast.start({ id: 'a', listen, peers, store });
console.log(`config/rate = ${(await node.registry.get('config/rate'))?.text()}`);
const after = await node.registry.lock('jobs/nightly', { try: true });
console.log(`the lock is free, and its next token is larger: ${after.token > lost.token}`);
await rm(directory, { recursive: true });
