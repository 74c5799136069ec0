/** The real clock keeps the promise that sessions rely on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClientEnvironment as environment } from '../../src/client/index.ts';

test('[SESS-91] a timer is never early: a session whose end it tells would not end', async () => {
  const early: number[] = [];
  await Promise.all(
    Array.from({ length: 200 }, (_, i) => {
      const [begunMs, delayMs] = [environment.now(), i * 0.37];
      return new Promise<void>((resolve) => {
        environment.setTimer(delayMs, () => {
          if (environment.now() - begunMs < delayMs) early.push(delayMs);
          resolve();
        });
      });
    }),
  );
  assert.deepEqual(early, []);
});
