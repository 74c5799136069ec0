/** The steps between memberships, their bytes, and their place in the log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  decodeMembership,
  emptyMembership,
  encodeMembership,
  foundingMembership,
  foundingSnapshot,
  makeEntry,
  sameMembership,
} from '../../../src/raft/index.ts';
import type { Membership, MembershipTarget, NodeId } from '../../../src/raft/index.ts';
import { MembershipHistory } from '../../../src/raft/membership-history.ts';
import { finalStep, firstStep, isWellFormed } from '../../../src/raft/membership.ts';
import { at, clusterOf, fresh, ids, inTerm, membersOf, snapshotAt } from './fixtures.ts';

function target(
  voters: string[],
  learners: string[] = [],
  promotable: string[] = [],
): MembershipTarget {
  const members = membersOf([...voters, ...learners]);
  return {
    voters: ids(...voters),
    learners: ids(...learners),
    promotable: ids(...promotable),
    members,
  };
}

function lists({ voters, outgoing, learners, promotable, members }: Membership): string {
  const named = Object.keys(members).toSorted().join('');
  const parts = [voters, outgoing, learners, promotable].map((part) => part.join(''));
  return `${parts.join('/')} of ${named}`;
}

const ABC = clusterOf('a', 'b', 'c');

const steps: readonly [what: string, target: MembershipTarget, first: string, last: string][] = [
  ['a voter comes', target(['a', 'b', 'c', 'd']), 'abcd/abc// of abcd', 'abcd/// of abcd'],
  ['a voter leaves', target(['a', 'b']), 'ab/abc// of abc', 'ab/// of ab'],
  ['all are replaced', target(['x', 'y']), 'xy/abc// of abcxy', 'xy/// of xy'],
  ['a voter becomes a learner', target(['a', 'b'], ['c']), 'ab/abc/c/ of abc', 'ab//c/ of abc'],
];
for (const [what, goal, first, last] of steps) {
  test(`[RAFT-10] ${what}: by a joint step, then the final one`, () => {
    const joint = firstStep(ABC, goal);
    assert.equal(lists(joint), first);
    assert.equal(lists(finalStep(joint)), last);
    assert.equal(joint.clusterId, 'test');
    assert.throws(() => firstStep(joint, goal), /one membership change at a time/);
  });
}

test('[RAFT-10] without a change of voters the target is the only step', () => {
  const learner = firstStep(ABC, target(['c', 'b', 'a'], ['d'], ['d']));
  assert.equal(lists(learner), 'abc//d/d of abcd');
  const moved = {
    ...membersOf(['a', 'b', 'c']),
    ['a' as NodeId]: { address: 'n:2', storeId: 'x' },
  };
  const address = firstStep(ABC, { ...target(['a', 'b', 'c']), members: moved });
  assert.equal(lists(address), 'abc/// of abc');
  assert.equal(address.members['a' as NodeId]?.address, 'n:2');
});

test('[RAFT-10] a target names each node once, and only them', () => {
  assert.equal(isWellFormed(target(['a', 'b'], ['c'], ['c'])), true);
  assert.equal(isWellFormed(target(['a', 'a'])), false);
  assert.equal(isWellFormed(target(['a'], ['a'])), false);
  assert.equal(isWellFormed(target(['a'], [], ['a'])), false);
  assert.equal(isWellFormed({ ...target(['a', 'b']), members: membersOf(['a']) }), false);
  assert.equal(isWellFormed({ ...target(['a']), members: membersOf(['a', 'b']) }), false);
});

test('[RAFT-10] ids that look like parts of an object are ids', () => {
  const odd = foundingMembership('odd', membersOf(['__proto__', 'constructor', 'toString']));
  assert.equal(odd.voters.length, 3);
  assert.deepEqual(Object.keys(odd.members).length, 3);
  assert.equal(sameMembership(decodeMembership(encodeMembership(odd)), odd), true);
});

const someIds = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 8 }), { maxLength: 6 });
const leaving = (id: string): object => (id.length > 1 ? { standsDown: true } : {});
const someMembership = fc
  .record({
    clusterId: fc.string({ unit: 'grapheme' }),
    voters: someIds,
    outgoing: someIds,
    learners: someIds,
    promoted: fc.nat(3),
    address: fc.string(),
    storeId: fc.string({ unit: 'grapheme' }),
  })
  .map(({ clusterId, voters, outgoing, learners, promoted, address, storeId }): Membership => {
    const all = [...voters, ...outgoing, ...learners];
    const members = all.map((id) => [id, { address: `${address}${id}`, storeId, ...leaving(id) }]);
    return {
      clusterId,
      voters: ids(...voters),
      outgoing: ids(...outgoing),
      learners: ids(...learners),
      promotable: ids(...learners.slice(0, promoted)),
      members: Object.fromEntries(members) as Membership['members'],
    };
  });

function reversed(membership: Membership): Membership {
  const { members, voters, outgoing, learners, promotable } = membership;
  return {
    ...membership,
    voters: voters.toReversed(),
    outgoing: outgoing.toReversed(),
    learners: learners.toReversed(),
    promotable: promotable.toReversed(),
    members: Object.fromEntries(Object.entries(members).toReversed()),
  };
}

test('[RAFT-11] a membership survives its bytes, which do not depend on any order', () => {
  fc.assert(
    fc.property(someMembership, (membership) => {
      const bytes = encodeMembership(membership);
      const back = decodeMembership(bytes);
      assert.deepEqual(encodeMembership(back), bytes);
      assert.deepEqual(encodeMembership(reversed(membership)), bytes);
      assert.deepEqual(back.members, membership.members);
      assert.deepEqual(new Set(back.voters), new Set(membership.voters));
      assert.deepEqual(new Set(back.outgoing), new Set(membership.outgoing));
    }),
  );
});

test('[RAFT-11] damaged, foreign or longer bytes are refused, never half read', () => {
  const bytes = encodeMembership(firstStep(ABC, target(['a', 'b'], ['d'], ['d'])));
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeMembership(bytes.subarray(0, length)), /MalformedBytes/);
  }
  assert.throws(() => decodeMembership(Uint8Array.of(...bytes, 0)), /left over/);
  assert.throws(() => decodeMembership(Uint8Array.of(1, ...bytes.subarray(1))), /version 1/);
  const empty = encodeMembership(emptyMembership);
  assert.equal(sameMembership(decodeMembership(empty), emptyMembership), true);
});

test('[RAFT-11] the bytes are fixed: a node of today reads the log of yesterday', () => {
  const bytes = encodeMembership(foundingMembership('k', membersOf(['a'])));
  assert.deepEqual(
    [...bytes],
    [2, 1, 107, 1, 1, 97, 0, 0, 0, 1, 1, 97, 3, 97, 58, 49, 6, 100, 105, 115, 107, 45, 97, 0],
  );
});

function membershipEntry(index: number, membership: Membership): ReturnType<typeof makeEntry> {
  return makeEntry(at(index), inTerm(1), 0, 'membership', encodeMembership(membership));
}

test('[RAFT-12] a membership is in force from its index on, and gone when truncated', () => {
  const AB = finalStep(firstStep(ABC, target(['a', 'b'])));
  const history = new MembershipHistory({
    ...fresh(ABC),
    lastIndex: at(9),
    membershipEntries: [
      membershipEntry(4, firstStep(ABC, target(['a', 'b']))),
      membershipEntry(7, AB),
    ],
  });
  const inForce = [0, 3, 4, 6, 7, 9].map((index) => history.at(at(index)).voters.length);
  const outgoing = [0, 3, 4, 6, 7, 9].map((index) => history.at(at(index)).outgoing.length);
  assert.deepEqual(
    [inForce, outgoing],
    [
      [3, 3, 2, 2, 2, 2],
      [0, 0, 3, 3, 0, 0],
    ],
  );
  assert.equal(history.truncateFrom(at(8)), false);
  assert.equal(history.truncateFrom(at(7)), true);
  assert.equal(history.index, 4);
  assert.equal(history.truncateFrom(at(2)), true);
  assert.equal(sameMembership(history.current, ABC), true);
});

test('[RAFT-12] compaction keeps the membership in force; a snapshot brings its own', () => {
  const AB = finalStep(firstStep(ABC, target(['a', 'b'])));
  const history = new MembershipHistory(fresh(ABC));
  history.push(at(4), AB);
  history.compactThrough(at(3));
  assert.equal(sameMembership(history.at(at(3)), ABC), true);
  history.compactThrough(at(5));
  assert.equal(sameMembership(history.at(at(5)), AB), true);
  history.push(at(9), ABC);
  history.install(snapshotAt(7, 1, AB), true);
  assert.equal(history.index, 9);
  history.install(snapshotAt(8, 1, AB), false);
  assert.equal(history.index, 8);
  assert.equal(sameMembership(history.current, AB), true);
});

test('[RAFT-12] without a snapshot a node belongs to nothing yet', () => {
  const history = new MembershipHistory({ ...fresh(ABC), snapshot: undefined });
  assert.equal(history.current, emptyMembership);
  assert.equal(foundingSnapshot(ABC).index, 0);
});
