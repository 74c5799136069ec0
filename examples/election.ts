/**
 * Leader election for your own service: candidates campaign, one leads and proclaims where it is to
 * be found, all others observe. Here they share a process; each would be one of yours.
 *
 *     npm run example election
 */
import { Holdfast, MemoryLogStore } from 'holdfast';

await using node = await Holdfast.start({
  id: 'a',
  listen: '127.0.0.1:0',
  store: new MemoryLogStore(),
});
const election = node.registry.election('service/leader');

// Your service would say `for await (const event of election.observe())`; here one at a time.
const events = election.observe()[Symbol.asyncIterator]();
async function showNext(): Promise<void> {
  const { value: event } = await events.next();
  if (event.type === 'vacant') console.log('observed: nobody leads');
  else console.log(`observed: ${event.type} ${event.leader.text()}`);
}

const first = await election.campaign('10.0.0.1:8080');
console.log(`first leads with token ${first.token}`);
await showNext();
await first.proclaim('10.0.0.1:9090');
await showNext();

// The second candidate waits in line until the first steps down, or dies.
const waiting = election.campaign('10.0.0.2:8080');
await first.resign();
console.log(`the first one's signal is aborted: ${first.signal.aborted}`);

// Pass `token` to what the leader writes to, and `signal` to what it does.
const second = await waiting;
console.log(`second leads, and its token is larger: ${second.token > first.token}`);
await showNext();
await showNext();

await second.resign();
console.log(`at the end there is a leader: ${(await election.leader()) !== undefined}`);
