/**
 * Changes that depend on what is there: a transfer, a swap, a counter.
 *
 *     npm run example transactions
 */
import { compare, Holdfast, MemoryLogStore, op } from 'holdfast';

const port = process.env['PORT'] ?? '7441';
const listen = `127.0.0.1:${port}`;
const node = await Holdfast.start({ id: 'a', listen, store: new MemoryLogStore() });
const { registry } = node;

await registry.put('accounts/ada', '100');

// All conditions hold, so both accounts and the receipt change in one revision.
const transfer = registry
  .txn()
  .if(compare.value('accounts/ada').equals('100'), compare.absent('transfers/7'))
  .then(op.increment('accounts/ada', -40), op.increment('accounts/bob', 40))
  .then(op.put('transfers/7', 'ada to bob: 40'))
  .else(op.get('transfers/7'));
const first = await transfer.commit();
console.log(`the first time the transfer ${first.succeeded ? 'happened' : 'was refused'}`);

// The same once more: the receipt is there, so nothing changes.
const second = await transfer.commit();
if (!second.succeeded) console.log(`the second time not: ${second.results[0]?.text()}`);
const page = await registry.list({ prefix: 'accounts/' });
console.log(page.records.map((record) => `${record.key} = ${record.text()}`).join(', '));

// Two that read the same record: the later swap is told what is there instead.
const before = await registry.get('accounts/bob');
const mine = await registry.compareAndSwap('accounts/bob', before, '50');
const theirs = await registry.compareAndSwap('accounts/bob', before, '60');
console.log(`swapped: ${mine.swapped}, then ${theirs.swapped}, for it is ${theirs.record?.text()}`);

// Increments need no reading before, so none is ever in vain.
const tickets = await Promise.all(Array.from({ length: 5 }, () => registry.increment('tickets')));
console.log(`tickets ${tickets.toSorted((a, b) => a - b).join(' ')}`);

await node.stop();
