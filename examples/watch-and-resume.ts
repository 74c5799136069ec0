/**
 * A consumer that never misses a change and never sees one twice, though it stops and starts: it
 * keeps where it is, also while nothing happens in its range. Values are of one type throughout.
 *
 *     npm run example watch-and-resume
 */
import { codecs, Holdfast, MemoryLogStore } from 'holdfast';
import { connect } from 'holdfast/client';
import { z } from 'zod';

const listen = `127.0.0.1:${process.env['PORT'] ?? '7461'}`;
await using node = await Holdfast.start({ id: 'a', listen, store: new MemoryLogStore() });
await using client = await connect({ endpoints: [listen] });

const order = z.object({ item: z.string().min(1), count: z.number().int().positive() });
const orders = client.registry.as(codecs.zod(order));

// In a real consumer this stands in a file or a database, written with what it handled.
let position = 0;

/** Handles what is there and what comes, up to so many changes. */
async function consume(changes: number): Promise<void> {
  const from = position === 0 ? {} : { from: position + 1 };
  // Only puts, and without what was before: the server sends nothing else.
  const watch = orders.watch({ prefix: 'orders/', events: 'put', previous: false, ...from });
  console.log(`watching after revision ${(await watch.started).revision}`);
  await produce();
  for await (const event of watch) {
    if (event.type === 'put') console.log(`${event.key}: ${event.data.count} x ${event.data.item}`);
    // All changes of one revision belong together.
    if (event.last) position = event.revision;
    if (--changes === 0) break;
  }
}

let made = 0;
async function produce(): Promise<void> {
  made++;
  await orders.put(`orders/${made}`, { item: 'rope', count: made });
}

await consume(1);
// While nobody watches, things go on.
await produce();
await produce();
await consume(3);

// Nothing happens in the range any more, but elsewhere: a mark tells that nothing was missed, so
// that history need not reach back to the last order for ever.
const quiet = orders.watch({ prefix: 'orders/', from: position + 1 });
await node.registry.put('elsewhere', 'busy');
const reached = await quiet.progress();
console.log(`no order was missed while revisions went on by ${reached - position}`);
await quiet.close();
