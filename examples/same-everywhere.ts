/**
 * Is every replica the same? Hash trees compare three nodes at one log index, while writes go on.
 * On the command line it is `holdfast verify`.
 *
 *     npm run example same-everywhere
 */
import { Holdfast, MemoryLogStore, type HoldfastNode } from 'holdfast';

const first = Number(process.env['PORT'] ?? '7471');
const ids = ['a', 'b', 'c'];
const peers = Object.fromEntries(ids.map((id, i) => [id, `127.0.0.1:${first + i}`]));

function start(id: string): Promise<HoldfastNode> {
  return Holdfast.start({ id, listen: peers[id]!, peers, store: new MemoryLogStore() });
}
const [a, b, c] = await Promise.all([start('a'), start('b'), start('c')]);
const { registry } = a;
for (let i = 0; i < 50; i++) await registry.put(`jobs/${i}`, { state: 'done' });

// Every member reads all it holds, as of one log index. Who differs is named, with the keys.
const { members, diverged, keys } = await a.verify();
const states = members.map(({ id, state }) => `${id} ${state}`).join(', ');
console.log(
  `${keys >= 50 ? 'all keys' : 'too few keys'} compared: ${states}; diverged: ${diverged}`,
);

// The parts it is made of: the trees are locked through the log, and each node asked for its own.
const tree = registry.hashTree;
await tree.lock();
await registry.put('jobs/later', 'this is not in the trees until they are updated');
async function jobsHash(node: string): Promise<string | undefined> {
  for (;;) {
    const answer = await tree.prefixHash(['jobs'], { node });
    if (answer.type === 'ok') return answer.hash;
  }
}
const hashes = await Promise.all(ids.map(jobsHash));
console.log(`one hash of jobs/ on all nodes: ${new Set(hashes).size === 1}`);
await tree.update();
const later = await Promise.all(ids.map(jobsHash));
const [changed, same] = [later[0] !== hashes[0], new Set(later).size === 1];
console.log(`another one after an update: ${changed}, again on all: ${same}`);
await tree.release();

await Promise.all([a.stop(), b.stop(), c.stop()]);
