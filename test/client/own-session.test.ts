import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../../src/client/index.ts';
import { OwnSession } from '../../src/client/own-session.ts';
import { VirtualTime } from './support/virtual-time.ts';

test('[API-20] a write that waits for its first session ends when all is closed', async () => {
  let asked = 0;
  let refuse: ((error: HoldfastError) => void) | undefined;
  const open = (): Promise<never> => {
    // A call that is refused at once leaves no time for anything else.
    if (++asked > 2) throw new Error('asked for a session again and again');
    return new Promise((_resolve, reject) => {
      refuse = reject;
    });
  };
  const time = new VirtualTime();
  const own = new OwnSession(open, time);
  const waiting = own.acquire({ deadlineMs: time.now() + 5_000, signal: undefined });
  await own.close(1_000);
  refuse?.(new HoldfastError('closed', 'this registry is closed'));
  await assert.rejects(waiting, { code: 'closed', outcome: 'not-applied' });
  assert.equal(asked, 1);
  assert.equal(time.timers, 0);
});
