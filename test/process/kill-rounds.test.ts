import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { killRounds } from './kill-rounds.ts';

const CASES = [
  { store: 'sqlite', nodes: 3, rounds: 3 },
  { store: 'level', nodes: 3, rounds: 3 },
] as const;

for (const { store, nodes, rounds } of CASES) {
  test(`[NODE-90] ${nodes} nodes on ${store}: SIGKILLs under load lose nothing`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-kill-'));
    try {
      const { seen, lost, diverged } = await killRounds({
        nodes,
        store,
        rounds,
        clients: 4,
        directory,
      });
      assert.deepEqual(seen.violations, []);
      assert.deepEqual(lost, []);
      assert.deepEqual(diverged, []);
      assert.ok(seen.tokens.length > 0, 'locks were taken');
      assert.ok(seen.acknowledgedKeys.size > 0, 'keys were acknowledged');
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
}
