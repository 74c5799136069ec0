import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommitDelay } from '../../src/node/commit-delay.ts';
import { defaultSettings } from '../../src/node/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { Life } from '../../jepsen-lite/simulation/life.ts';
import { World } from '../../jepsen-lite/simulation/world.ts';

interface Fixture {
  readonly delay: CommitDelay;
  readonly turns: () => number;
  readonly pass: (ms: number) => Promise<void>;
}

function fixture(): Fixture {
  const world = new World(1);
  let turns = 0;
  const delay = new CommitDelay({
    id: 'a' as NodeId,
    settings: defaultSettings,
    environment: new Life(world, 'a'),
    post: (completion) => completion(),
    schedule: () => void turns++,
  });
  return { delay, turns: () => turns, pass: (ms) => world.run(world.now + ms) };
}

/** Callers who were answered and did not come back, with one proposal of somebody else's here. */
function inVain(delay: CommitDelay, now: number): boolean {
  delay.answered(50);
  if (!delay.waits(1, now)) {
    delay.taken();
    return false;
  }
  assert.equal(delay.waits(1, now + 1), false, 'no longer than 1 ms');
  delay.taken();
  return true;
}

void test('[NODE-63] proposals gather for those who were just answered', async () => {
  const { delay, turns, pass } = fixture();
  assert.equal(delay.waits(10, 0), false, 'nobody was answered');
  delay.taken();
  delay.answered(10);
  assert.equal(delay.waits(1, 0.1), true);
  assert.equal(delay.waits(7, 0.2), true);
  assert.equal(delay.waits(8, 0.3), false, 'four here for each of the two still awaited');
  delay.taken();
  await pass(10);
  assert.equal(turns(), 0, 'the timer is not left behind');
});

void test('[NODE-63] a wait ends after 1 ms, with a turn to end it in', async () => {
  const { delay, turns, pass } = fixture();
  delay.answered(10);
  assert.equal(delay.waits(1, 0), true);
  await pass(1);
  assert.equal(turns(), 1);
  assert.equal(delay.waits(1, 0.99), false, 'also when the timer runs a little early');
});

void test('[NODE-63] few callers never wait for each other', () => {
  const { delay } = fixture();
  delay.answered(2);
  assert.equal(delay.waits(1, 0), false);
});

void test('[NODE-63] callers who do not come back delay less and less', () => {
  const { delay } = fixture();
  const gaps: number[] = [];
  let gap = 0;
  for (let round = 0; round < 2000; round++) {
    if (inVain(delay, round * 10)) {
      gaps.push(gap);
      gap = 0;
    } else gap++;
  }
  assert.deepEqual(gaps.slice(0, 7), [0, 8, 16, 32, 64, 128, 256]);
  assert.ok(gaps.slice(7).every((each) => each === 256));
});

void test('[NODE-63] a wait that was of use lets the next one begin at once', () => {
  const { delay } = fixture();
  assert.ok(inVain(delay, 0));
  for (let i = 0; i < 8; i++) assert.ok(!inVain(delay, 10 + i));
  delay.answered(10);
  delay.waits(1, 100);
  assert.equal(delay.waits(400, 100.5), false);
  delay.taken();
  assert.ok(inVain(delay, 200));
  for (let i = 0; i < 8; i++) assert.ok(!inVain(delay, 300 + i), 'as few as after the first');
  assert.ok(inVain(delay, 400));
});
