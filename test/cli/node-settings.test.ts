import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/cli/node-settings.ts';
import { runCli } from './run-cli.ts';

test('[REAL-3] settings are numbers, true or false', () => {
  assert.deepEqual(parseSettings(['tickMs=10', ' checkInvariants = true', 'other=false']), {
    tickMs: 10,
    checkInvariants: true,
    other: false,
  });
  for (const pair of ['tickMs', '=3', 'tickMs=', 'tickMs=soon']) {
    assert.throws(() => parseSettings([pair]), /--set: '.*' is not name=number/);
  }
});

test('[REAL-3] a setting there is not is named', async () => {
  const node = ['serve', '--id', 'a', '--listen', '127.0.0.1:0', '--store', 'memory'];
  const { code, stderr } = await runCli([...node, '--set', 'tickMs=20', 'speed=3']);
  assert.equal(code, 2);
  assert.match(stderr, /speed/);
});
