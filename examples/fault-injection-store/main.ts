/**
 * A log store of one's own under clusters with crashes, partitions and failing disks: the journal
 * of `examples/swap-the-store`. In a project of yours these lines are a test file.
 *
 *     npm run example fault-injection-store
 */
import { test } from 'node:test';
import { testLogStoreUnderFaults } from 'holdfast/jepsen-lite';
import { JournalLogStore } from '../swap-the-store/journal-log-store.ts';

const seeds = process.argv[2] ?? '1..5';
testLogStoreUnderFaults({ test, seeds, create: (path) => new JournalLogStore({ path }) });
