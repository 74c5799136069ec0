/**
 * Three nodes on a log store that did not come with Holdfast (`journal-log-store.ts`): stopped, and
 * started again from what they left on disk.
 *
 *     npm run example swap-the-store
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Holdfast, type HoldfastNode } from 'holdfast';
import { JournalLogStore } from './journal-log-store.ts';

const directory = await mkdtemp(join(tmpdir(), 'holdfast-swap-'));
const port = Number(process.env['PORT'] ?? 7461);
const peers = {
  a: `127.0.0.1:${port}`,
  b: `127.0.0.1:${port + 1}`,
  c: `127.0.0.1:${port + 2}`,
};

function startNode(id: keyof typeof peers): Promise<HoldfastNode> {
  const store = new JournalLogStore({ path: join(directory, id) });
  return Holdfast.start({ id, listen: peers[id], peers, store });
}

function startAll(): Promise<[HoldfastNode, HoldfastNode, HoldfastNode]> {
  return Promise.all([startNode('a'), startNode('b'), startNode('c')]);
}

const before = await startAll();
const lock = await before[0].registry.lock('jobs/nightly', { wait: '5s' });
for (let day = 1; day <= 100; day++) {
  await before[day % 3]!.registry.put(`days/${day}`, `done under token ${lock.token}`);
}
console.log(`each node keeps its log in a ${before[0].status().store} store`);
await Promise.all(before.map((node) => node.stop()));

const after = await startAll();
const { records } = await after[1].registry.list({ prefix: 'days/' });
console.log(`after a restart ${records.length} of 100 keys are there`);
console.log(`days/100: ${records.find(({ key }) => key === 'days/100')?.text()}`);
await Promise.all(after.map((node) => node.stop()));
await rm(directory, { recursive: true, force: true });
