/** Bugs of terms, votes, elections and leadership. */
import type { Mutant } from './mutant.ts';

const DISPATCH = 'src/raft/dispatch.js';
const ELECTIONS = 'src/raft/elections.js';
const QUORUM = 'src/raft/quorum.js';

export const electionMutants: readonly Mutant[] = [
  {
    id: '1',
    breaks: 'a voter does not look at whom it voted for already',
    file: ELECTIONS,
    text: 'const free = core.votedFor === undefined && core.leader === undefined;',
    replacement: 'const free = core.leader === undefined;',
  },
  {
    id: '2',
    breaks: 'a vote is answered before term and vote are durable',
    file: ELECTIONS,
    text: "core.out.sendAfterPersist.push({\n        type: 'voteResponse',",
    replacement: "core.out.sendNow.push({\n        type: 'voteResponse',",
  },
  {
    id: '3',
    breaks: 'which log is newer is judged by length alone',
    file: 'src/raft/core.js',
    text: 'return lastTerm > log.lastTerm ||',
    replacement: 'return lastIndex >= log.lastIndex ||',
  },
  {
    id: '4',
    breaks: 'a candidate whose log is equal gets no vote',
    file: 'src/raft/core.js',
    text: '(lastTerm === log.lastTerm && lastIndex >= log.lastIndex)',
    replacement: '(lastTerm === log.lastTerm && lastIndex > log.lastIndex)',
  },
  {
    id: '5',
    breaks: 'half of the voters, rounded down, are taken for a majority',
    file: QUORUM,
    text: 'return Math.floor(voters / 2) + 1;',
    replacement: 'return Math.max(1, Math.floor(voters / 2));',
  },
  {
    id: '11',
    breaks: 'a higher term in a response does not make a leader step down',
    file: DISPATCH,
    text: 'if (message.term > core.term && isInItsTerm(message)) {',
    replacement:
      "const isResponse = message.type.endsWith('Response');\n" +
      '    if (message.term > core.term && isInItsTerm(message) && !isResponse) {',
  },
  {
    id: '14',
    breaks: 'votes of an earlier term are counted',
    file: DISPATCH,
    text: 'voteResponse: ofOldTerm,',
    replacement:
      'voteResponse: (core, m) => {\n' +
      "        if (core.role.type === 'candidate') handleVoteResponse(core, core.role, m);\n" +
      '    },',
  },
  {
    id: '15',
    breaks: 'votes are counted, not voters: one that comes twice counts twice',
    file: ELECTIONS,
    text: '(granted ? role.votes.granted : role.votes.refused).add(from);',
    replacement:
      'const tally = granted ? role.votes.granted : role.votes.refused;\n' +
      '    const other = otherVoters(core).find((id) => !tally.has(id));\n' +
      '    tally.add(tally.has(from) && other !== undefined ? other : from);',
    nodes: 5,
  },
  {
    id: '16',
    breaks: 'a leader does not begin its term with an entry',
    file: 'src/raft/leading.js',
    text: "appendOwn(core, role, 'noop', NO_BYTES, core.log.lastTime);",
    replacement: '',
  },
  {
    id: '24',
    breaks: 'a second membership change begins before the first is committed',
    file: 'src/raft/membership-changes.js',
    text: 'return (isJoint(core.membership) ||',
    replacement: 'return false && (isJoint(core.membership) ||',
  },
  {
    id: '25',
    breaks: 'proposals are taken while leadership is handed over',
    file: 'src/raft/leader-log.js',
    text:
      'if (role.transfer !== undefined)\n' +
      "        return { type: 'refused', reason: 'transferring' };",
    replacement: '',
  },
  {
    id: '25b',
    breaks: 'leadership is handed to a node that has not caught up',
    file: 'src/raft/transfer.js',
    text: 'return progress.get(transfer.to)?.match === log.lastIndex;',
    replacement: 'return progress.has(transfer.to);',
  },
  {
    id: '31',
    breaks: 'a pre-vote counts as a vote',
    file: DISPATCH,
    text: "preVoteResponse: ignored('a pre-vote is no vote'),",
    replacement: 'preVoteResponse: handleVoteResponse,',
  },
  {
    id: '32',
    breaks: 'both sets of a joint membership elect together, as one set',
    file: QUORUM,
    text: 'const incoming = majorityOutcome(voters, votes);',
    replacement:
      'const union = [...new Set([...voters, ...outgoing])];\n' +
      '    const incoming = majorityOutcome(union, votes);\n' +
      '    if (outgoing.length > 0) return incoming;',
  },
  {
    id: '33',
    breaks: 'a membership stays in force though its entry was cut off the log',
    file: 'src/raft/following.js',
    text: 'if (core.memberships.truncateFrom(first))\n            core.announceMembership();',
    replacement: '',
  },
  {
    id: '38',
    breaks: 'what learners hold counts towards the majority that commits',
    file: 'src/raft/commit.js',
    text: 'const { voters, outgoing } = core.membership;',
    replacement:
      'const { outgoing, learners } = core.membership;\n' +
      '    const voters = [...core.membership.voters, ...learners];',
  },
  {
    id: '54',
    breaks: 'a node votes, and is counted, though the cluster knows it with another disk',
    file: 'src/raft/core.js',
    text: 'hasPart(membership) && memberOf(membership, this.id)?.storeId === this.options.storeId',
    replacement: 'hasPart(membership)',
    // Candidates do not count such a vote either, and each of the two is enough.
    also: [
      {
        file: 'src/node/peers.js',
        text: "return recorded === undefined || recorded === '' || recorded === peer.storeId;",
        replacement: 'return true;',
      },
    ],
  },
];
