/** Every state of a follower's progress, and what each event makes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InflightWindow } from '../../../src/raft/inflight-window.ts';
import { Progress } from '../../../src/raft/progress.ts';
import { RoundClock } from '../../../src/raft/round-clock.ts';
import { at, clusterOf, snapshotAt } from './fixtures.ts';

type State = 'probe' | 'waiting' | 'replicate' | 'full' | 'snapshot';
interface Seen {
  readonly state: 'probe' | 'replicate' | 'snapshot';
  readonly match: number;
  readonly next: number;
  readonly mayAppend: boolean;
  readonly messages: number;
}

const SNAPSHOT = snapshotAt(20, 1, clusterOf('a', 'b'));

/** Everyone has confirmed 10; the pipeline is sent to 12, in two messages of 5 bytes. */
function inState(state: State): Progress {
  const progress = new Progress(at(11), state === 'full' ? 2 : 4, 100, 0);
  progress.accepted(at(10), 0);
  switch (state) {
    case 'probe':
      progress.becomeProbe(at(15));
      break;
    case 'waiting':
      progress.becomeProbe(at(15));
      progress.appendSent(at(14), 0, 0);
      break;
    case 'replicate':
    case 'full':
      progress.appendSent(at(11), 5, 0);
      progress.appendSent(at(12), 5, 0);
      break;
    case 'snapshot':
      progress.becomeSnapshot(SNAPSHOT, 0);
      break;
  }
  return progress;
}

function look(progress: Progress): Seen {
  const { state, match, next, mayAppend, inflight } = progress;
  return { state: state.type, match, next, mayAppend, messages: inflight.messages };
}

const seen = (
  state: Seen['state'],
  match: number,
  next: number,
  mayAppend: boolean,
  messages = 0,
): Seen => ({ state, match, next, mayAppend, messages });

const unchanged: Readonly<Record<State, Seen>> = {
  probe: seen('probe', 10, 15, true),
  waiting: seen('probe', 10, 15, false),
  replicate: seen('replicate', 10, 13, true, 2),
  full: seen('replicate', 10, 13, false, 2),
  snapshot: seen('snapshot', 10, 11, false),
};

interface Row {
  readonly event: string;
  readonly act: (progress: Progress) => void;
  readonly leaves: Readonly<Record<State, Seen>>;
}

const rows: readonly Row[] = [
  { event: 'nothing', act: () => undefined, leaves: unchanged },
  {
    event: 'a repeated acknowledgement of 9',
    act: (p) => assert.equal(p.accepted(at(9), 1), false),
    leaves: unchanged,
  },
  {
    event: 'an acknowledgement of 11',
    act: (p) => assert.equal(p.accepted(at(11), 1), true),
    leaves: {
      probe: seen('probe', 11, 15, true),
      waiting: seen('probe', 11, 15, false),
      replicate: seen('replicate', 11, 13, true, 1),
      full: seen('replicate', 11, 13, true, 1),
      snapshot: seen('snapshot', 11, 12, false),
    },
  },
  {
    event: 'an acknowledgement of 14',
    act: (p) => void p.accepted(at(14), 1),
    leaves: {
      probe: seen('replicate', 14, 15, true),
      waiting: seen('replicate', 14, 15, true),
      replicate: seen('replicate', 14, 15, true),
      full: seen('replicate', 14, 15, true),
      snapshot: seen('snapshot', 14, 15, false),
    },
  },
  {
    event: 'an acknowledgement of the snapshot',
    act: (p) => void p.accepted(at(20), 1),
    leaves: {
      probe: seen('replicate', 20, 21, true),
      waiting: seen('replicate', 20, 21, true),
      replicate: seen('replicate', 20, 21, true),
      full: seen('replicate', 20, 21, true),
      snapshot: seen('probe', 20, 21, true),
    },
  },
  {
    event: 'a refusal of 14, agreed up to 12',
    act: (p) => void p.rejected(at(14), at(12)),
    leaves: {
      probe: seen('probe', 10, 13, true),
      waiting: seen('probe', 10, 13, true),
      replicate: seen('probe', 10, 13, true),
      full: seen('probe', 10, 13, true),
      snapshot: unchanged.snapshot,
    },
  },
  {
    event: 'a refusal of 14, agreed below what is known to match',
    act: (p) => void p.rejected(at(14), at(3)),
    leaves: {
      probe: seen('probe', 10, 11, true),
      waiting: seen('probe', 10, 11, true),
      replicate: seen('probe', 10, 11, true),
      full: seen('probe', 10, 11, true),
      snapshot: unchanged.snapshot,
    },
  },
  {
    event: 'a late refusal of another probe',
    act: (p) => void p.rejected(at(12), at(5)),
    leaves: {
      probe: unchanged.probe,
      waiting: unchanged.waiting,
      replicate: seen('probe', 10, 11, true),
      full: seen('probe', 10, 11, true),
      snapshot: unchanged.snapshot,
    },
  },
  {
    event: 'a refusal of what is known to match',
    act: (p) => assert.equal(p.rejected(at(10), at(5)), false),
    leaves: unchanged,
  },
  {
    event: 'a hint beyond the refused index',
    act: (p) => void p.rejected(at(14), at(40)),
    leaves: {
      probe: seen('probe', 10, 14, true),
      waiting: seen('probe', 10, 14, true),
      replicate: seen('probe', 10, 14, true),
      full: seen('probe', 10, 14, true),
      snapshot: unchanged.snapshot,
    },
  },
  {
    event: 'losing the connection',
    act: (p) => p.becomeProbe(at(p.match + 1)),
    leaves: {
      probe: seen('probe', 10, 11, true),
      waiting: seen('probe', 10, 11, true),
      replicate: seen('probe', 10, 11, true),
      full: seen('probe', 10, 11, true),
      snapshot: seen('probe', 10, 11, true),
    },
  },
];

const states: readonly State[] = ['probe', 'waiting', 'replicate', 'full', 'snapshot'];
for (const { event, act, leaves } of rows) {
  for (const state of states) {
    test(`[RAFT-4] progress: ${state} meets ${event}`, () => {
      const progress = inState(state);
      act(progress);
      assert.deepEqual(look(progress), leaves[state]);
      if (progress.inflight.messages === 0) assert.equal(progress.inflight.bytes, 0);
    });
  }
}

test('[RAFT-5] what is in flight is limited in messages and in bytes', () => {
  const byCount = new InflightWindow(2, 100);
  byCount.add(at(1), 1);
  assert.equal(byCount.full, false);
  byCount.add(at(2), 1);
  assert.equal(byCount.full, true);
  assert.throws(() => byCount.add(at(3), 1), /in-flight limit/);

  const byBytes = new InflightWindow(10, 100);
  byBytes.add(at(1), 400);
  assert.equal(byBytes.full, true, 'one large message may go, and nothing after it');
  byBytes.freeThrough(at(0));
  assert.equal(byBytes.full, true);
  byBytes.freeThrough(at(1));
  assert.equal(byBytes.full, false);
  assert.equal(byBytes.bytes, 0);
});

test('[RAFT-5] one acknowledgement frees all that it covers; a reset frees everything', () => {
  const window = new InflightWindow(4, 100);
  for (let lap = 0; lap < 5; lap++) {
    for (let i = 1; i <= 4; i++) window.add(at(lap * 10 + i), 10);
    window.freeThrough(at(lap * 10 + 3));
    assert.deepEqual([window.messages, window.bytes], [1, 10]);
    window.freeThrough(at(lap * 10 + 4));
    assert.deepEqual([window.messages, window.bytes], [0, 0]);
  }
  window.add(at(100), 60);
  window.reset();
  assert.deepEqual([window.messages, window.bytes, window.full], [0, 0, false]);
});

test('[RAFT-4] only a pipeline that gets no answer counts as stalled', () => {
  const progress = inState('replicate');
  assert.equal(progress.stalled(1, 2), false);
  assert.equal(progress.stalled(2, 2), true);
  progress.accepted(at(11), 2);
  assert.equal(progress.stalled(3, 2), false);
  progress.accepted(at(12), 3);
  assert.equal(progress.stalled(100, 2), false, 'nothing is under way');
  assert.equal(inState('waiting').stalled(100, 2), false);
  assert.equal(inState('snapshot').stalled(100, 2), false);
});

test('[RAFT-6] a round is known by the tick it began in, for as long as it matters', () => {
  const clock = new RoundClock(10);
  assert.equal(clock.begin(3), 1);
  assert.equal(clock.begin(3), 2);
  assert.equal(clock.begin(7), 3);
  assert.deepEqual(
    [1, 2, 3].map((round) => clock.tickOf(round)),
    [3, 3, 7],
  );
  clock.begin(14);
  assert.equal(clock.tickOf(2), -Infinity, 'too long ago to remember');
  assert.equal(clock.tickOf(3), 7);
  assert.equal(clock.round, 4);
});
