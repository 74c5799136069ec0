/** Truth tables of the quorum, against counting by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { majority, quorumValue, voteOutcome } from '../../../src/raft/quorum.ts';
import type { NodeId } from '../../../src/raft/index.ts';
import { ids } from './fixtures.ts';

const NINE = ids('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i');

test('[RAFT-1] majorities of one to nine voters', () => {
  const needed = NINE.map((_, i) => majority(i + 1));
  assert.deepEqual(needed, [1, 2, 2, 3, 3, 4, 4, 5, 5]);
});

test('[RAFT-1] two majorities always share a voter', () => {
  for (let voters = 1; voters <= 9; voters++) assert.ok(2 * majority(voters) > voters);
});

const table: readonly [values: readonly number[], reached: number][] = [
  [[7], 7],
  [[7, 3], 3],
  [[3, 7], 3],
  [[1, 2, 3], 2],
  [[3, 1, 2], 2],
  [[2, 3, 1], 2],
  [[0, 0, 9], 0],
  [[9, 0, 9], 9],
  [[4, 3, 2, 1], 2],
  [[1, 4, 2, 3], 2],
  [[5, 1, 4, 2, 3], 3],
  [[10, 9, 8, 7, 6, 5], 7],
  [[5, 10, 6, 9, 7, 8], 7],
  [[1, 1, 1, 2, 2, 2, 2], 2],
  [[2, 2, 2, 1, 1, 1, 1], 1],
  [[8, 1, 7, 2, 6, 3, 5, 4], 4],
  [[9, 1, 8, 2, 7, 3, 6, 4, 5], 5],
];
for (const [values, reached] of table) {
  test(`[RAFT-1] a majority of ${values.join(' ')} has reached ${reached}`, () => {
    const voters = NINE.slice(0, values.length);
    const valueOf = (id: NodeId): number => values[NINE.indexOf(id)]!;
    assert.equal(quorumValue(voters, [], valueOf), reached);
  });
}

/** The definition itself: the largest value that enough voters have. */
function byCounting(voters: readonly NodeId[], valueOf: (id: NodeId) => number): number {
  const values = voters.map(valueOf);
  const reached = values.filter(
    (value) => values.filter((other) => other >= value).length * 2 > voters.length,
  );
  return Math.max(...reached);
}

const someVoters = fc.subarray(NINE, { minLength: 1 });
const nineValues = fc.array(fc.nat(12), { minLength: 9, maxLength: 9 });

function checkJoint(voters: NodeId[], outgoing: NodeId[], values: number[]): void {
  const valueOf = (id: NodeId): number => values[NINE.indexOf(id)]!;
  const expected = Math.min(byCounting(voters, valueOf), byCounting(outgoing, valueOf));
  assert.equal(quorumValue(voters, outgoing, valueOf), expected);
}

test('[RAFT-2] joint: a majority of each set, never of the union', () => {
  fc.assert(fc.property(someVoters, someVoters, nineValues, checkJoint));
  // Four of the union's six, but only one of the outgoing three.
  const reached = new Set(ids('a', 'b', 'c', 'd'));
  const valueOf = (id: NodeId): number => (reached.has(id) ? 5 : 1);
  assert.equal(quorumValue(ids('a', 'b', 'c'), ids('d', 'e', 'f'), valueOf), 1);
});

test('[RAFT-3] an election by every answer of up to nine voters', () => {
  for (let size = 1; size <= 9; size++) {
    for (let granted = 0; granted <= size; granted++) {
      for (let refused = 0; granted + refused <= size; refused++) {
        const voters = NINE.slice(0, size);
        const votes = {
          granted: new Set(voters.slice(0, granted)),
          refused: new Set(voters.slice(size - refused)),
        };
        const won = granted * 2 > size;
        const lost = (size - refused) * 2 <= size;
        const expected = won ? 'won' : lost ? 'lost' : 'pending';
        assert.equal(voteOutcome(voters, [], votes), expected, `${granted} ${refused} ${size}`);
      }
    }
  }
});

function checkJointVote(voters: NodeId[], outgoing: NodeId[], answered: string[]): void {
  const those = (what: string): Set<NodeId> => new Set(NINE.filter((_, i) => answered[i] === what));
  const votes = { granted: those('yes'), refused: those('no') };
  const both = [voteOutcome(voters, [], votes), voteOutcome(outgoing, [], votes)];
  const expected = both.includes('lost') ? 'lost' : both.includes('pending') ? 'pending' : 'won';
  assert.equal(voteOutcome(voters, outgoing, votes), expected);
}

test('[RAFT-3] a joint election is won in both sets and lost in either', () => {
  const answers = fc.array(fc.constantFrom('yes', 'no', 'none'), { minLength: 9, maxLength: 9 });
  fc.assert(fc.property(someVoters, someVoters, answers, checkJointVote));
});

test('[RAFT-3] nobody wins without voters, and strangers do not count', () => {
  assert.equal(voteOutcome([], [], { granted: new Set(), refused: new Set() }), 'lost');
  const strangers = { granted: new Set(ids('x', 'y', 'z')), refused: new Set<NodeId>() };
  assert.equal(voteOutcome(ids('a', 'b', 'c'), [], strangers), 'pending');
});
