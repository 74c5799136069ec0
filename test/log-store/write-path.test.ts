import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rig } from '../../src/log-store/conformance/rig.ts';
import { entries, index } from '../../src/log-store/conformance/rig.ts';
import { createMemory, createSqlite, module } from './stores.ts';

for (const create of [createMemory, createSqlite]) {
  test(`[LOG-24] ${create.name}: a write is over when the call returns`, async () => {
    const rig = new Rig({ test: () => undefined, create, module });
    try {
      const store = await rig.open();
      const written = store.write({ entries: entries(1, 3) });
      assert.equal(store.lastIndex(), 3);
      const cut = store.write({ truncateFrom: index(3) });
      assert.equal(store.lastIndex(), 2);
      await Promise.all([written, cut]);
    } finally {
      await rig.dispose();
    }
  });
}
