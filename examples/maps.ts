/**
 * Feature flags in a named map: typed by a zod schema, set by one process and read by another from
 * its own memory. Here the two share a process; each would be one of yours.
 *
 *     npm run example maps
 */
import { Holdfast, HoldfastError, MemoryLogStore } from 'holdfast';
import { connect } from 'holdfast/client';
import { z } from 'zod';

const listen = `127.0.0.1:${process.env['PORT'] ?? '7451'}`;
await using node = await Holdfast.start({ id: 'a', listen, store: new MemoryLogStore() });
await using client = await connect({ endpoints: [listen] });

const schema = z.object({
  enabled: z.boolean(),
  // Of users who get it. Old entries without it, or puts that leave it out, mean everyone.
  share: z.number().min(0).max(1).default(1),
});

// A service opens the map: from then on every flag is in its memory, decoded and kept up to date.
const flags = await client.registry.map('flags', { schema });

// No promise, no network: this may stand in the hottest loop.
const isOn = (name: string): boolean => flags.get(name)?.enabled ?? false;
console.log(`before anyone set it: ${isOn('new-checkout')}`);

// Someone else sets a flag; whoever subscribes is told, from a snapshot on, without a gap.
await using changes = flags.subscribe({ initial: true });
const operators = await node.registry.map('flags', { schema });
await operators.put('new-checkout', { enabled: true });
for await (const event of changes) {
  if (event.type !== 'put') continue;
  const { enabled, share } = event.value; // typed: boolean and number
  console.log(`told of ${event.key}: enabled ${enabled}, for ${share * 100} % of users`);
  break;
}
console.log(`after: ${isOn('new-checkout')}, here too`);

// What the schema refuses is never sent, and the error says what is wrong with it.
try {
  await operators.put('new-checkout', { enabled: true, share: 250 });
} catch (error) {
  if (!(error instanceof HoldfastError)) throw error;
  console.log(`refused with ${error.code}: ${error.issues?.map(({ message }) => message).join()}`);
}

// What somebody stored past the schema is kept out of reads; `invalid()` shows it.
await node.registry.rawMap('flags').put('broken', '{"enabled":"perhaps"}');
await operators.put('old-checkout', { enabled: false });
console.log(`served: ${(await flags.fetchAll()).map(({ key }) => key).join(', ')}`);

await operators.drop();
