/**
 * Why fencing matters. A holder pauses so long that its session expires; another takes the lock and
 * writes; then the first wakes up and, not knowing, writes too. A resource that remembers the
 * largest token it has seen refuses that; one that does not loses the second's work.
 *
 *     npm run example fencing
 */
import { Holdfast, MemoryLogStore } from 'holdfast';

/** What a lock guards, say a file on shared storage. It knows nothing of locks. */
class Resource {
  content = 'empty';
  write(text: string): void {
    this.content = text;
  }
}

/** The same, but it remembers the largest fencing token and refuses smaller ones. */
class FencedResource extends Resource {
  #largest = 0;
  writeWith(token: number, text: string): void {
    if (token < this.#largest) throw new Error(`token ${token} is older than ${this.#largest}`);
    this.#largest = token;
    this.write(text);
  }
}

await using node = await Holdfast.start({
  id: 'a',
  listen: '127.0.0.1:0',
  store: new MemoryLogStore(),
});
const { registry } = node;
const plain = new Resource();
const fenced = new FencedResource();

// The first holder takes the lock and then does nothing at all: no renewal, no look at its signal,
// as in a long pause of garbage collection or of a virtual machine.
const session = await registry.openSession({ ttl: '1s', keepAlive: false });
const first = await registry.lock('file', { session });
console.log(`first holds the lock with token ${first.token}, and pauses`);

// The second waits in line. It gets the lock when the first one's session has expired.
await registry.withLock('file', {}, async (second) => {
  console.log(`second holds the lock with token ${second.token}: it grew`);
  await Promise.resolve();
  plain.write('the work of the second');
  fenced.writeWith(second.token, 'the work of the second');
});

// The first wakes up where it was, in the belief that it holds the lock.
plain.write('the stale work of the first');
console.log(`without fencing the resource holds: ${plain.content}`);
try {
  fenced.writeWith(first.token, 'the stale work of the first');
} catch {
  console.log(`the fenced resource refused token ${first.token}`);
}
console.log(`with fencing the resource holds: ${fenced.content}`);

// The registry itself is fenced: what is written for a session that is over is refused.
const refusal = await registry.put('file', 'stale', { session }).catch((error: unknown) => error);
const { code = 'nothing' } = refusal as { readonly code?: string };
console.log(`the registry answers the first one's put with: ${code}`);
