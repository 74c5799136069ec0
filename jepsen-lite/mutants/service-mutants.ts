/** Bugs of what clients see: reads, answers, locks, expiry, watches. */
import type { Mutant } from './mutant.ts';

const READS = 'src/raft/reads.js';

export const serviceMutants: readonly Mutant[] = [
  {
    id: '17',
    breaks: 'a leader answers reads without asking a majority whether it still leads',
    file: READS,
    text: 'id === core.id ? role.rounds.round : (role.progress.get(id)?.ackedRound ?? 0)',
    replacement: 'role.rounds.round + 0 * id.length',
  },
  {
    id: '18',
    breaks: 'a leader answers reads before it has committed an entry of its term',
    file: READS,
    text: 'if (termHasCommitted(core, role))\n        role.reads.fresh.push(read);',
    replacement: 'if (role.rounds.round >= 0)\n        role.reads.fresh.push(read);',
  },
  {
    id: '19',
    breaks: 'a lease is counted from the response, not from the sending',
    file: READS,
    text: 'progress.ackedRoundTick = role.rounds.tickOf(round);',
    replacement: 'progress.ackedRoundTick = core.tickCount;',
    workload: 'lease',
  },
  {
    id: '23',
    breaks: 'snapshots leave out the answers that retries are recognised by',
    file: 'src/registry/snapshot-writer.js',
    text: 'for (const [sequence, result] of window.answers()) {',
    replacement: 'for (const [sequence, result] of []) {',
  },
  {
    id: '27',
    breaks: 'fencing tokens come from a counter of the node, not from the log',
    file: 'src/registry/lock-queue.js',
    text: 'return { session, token: entry.latest.createRevision, entry, terms };',
    replacement:
      'globalThis.lockTokens = (globalThis.lockTokens ?? 0) + 1;\n' +
      '    return { session, token: globalThis.lockTokens, entry, terms };',
  },
  {
    id: '28',
    breaks: 'a release does not look at the token it comes with',
    file: 'src/registry/lock-commands.js',
    text: 'if (place?.token !== token) {',
    replacement: 'if (place === undefined) {',
  },
  {
    id: '29',
    breaks: 'what is due expires by the clock of each node, not by that of the log',
    file: 'src/registry/apply.js',
    text: 'store.time = Math.max(store.time, Math.floor(time));',
    replacement: 'store.time = Math.max(store.time, Date.now());',
  },
  {
    id: '30',
    breaks: 'a watch goes on with the revision it has seen, not with the next',
    file: 'src/client/watch-stream.js',
    text: 'this.#next = revision.revision + 1;',
    replacement: 'this.#next = revision.revision;',
  },
  {
    id: '30b',
    breaks: 'a watch that begins in what is compacted skips it without a word',
    file: 'src/registry/state-machine.js',
    text:
      'if (from <= compactRevision)\n' +
      "            return { type: 'compacted', compactRevision };",
    replacement: 'if (from <= compactRevision)\n            from = compactRevision + 1;',
  },
  {
    id: '39',
    breaks: 'later reads are confirmed by replies to the round of an earlier one',
    file: READS,
    text: 'const round = role.rounds.begin(core.tickCount);',
    replacement: 'const round = (role.readRound ??= role.rounds.begin(core.tickCount));',
  },
  {
    id: '40',
    breaks: 'answers to forwarded requests are handed to each other’s callers',
    file: 'src/node/forward-sender.js',
    text: 'for (const { slot, answer } of this.#decode(response.from, result.payload)) {',
    replacement:
      'const answers = this.#decode(response.from, result.payload);\n' +
      '        for (const [at, { slot }] of answers.entries()) {\n' +
      '            const { answer } = answers.at(-1 - at);',
  },
  {
    id: '41',
    breaks: 'who gives up waiting for a lock leaves its place in the queue',
    file: 'src/client/locks.js',
    text: 'claim.leaveAfter(() => this.#persistently(() => this.#leave(place)));',
    replacement: 'claim.leaveAfter(() => Promise.resolve());',
    workload: 'lock',
  },
  {
    id: '52',
    breaks: 'a read waits for replies of all voters, not of a majority',
    file: READS,
    text: 'const confirmed = quorumValue(voters, outgoing, (id) =>',
    replacement:
      'const confirmed = ((all, _none, of) => Math.min(...all.map(of)))(voters, outgoing, (id) =>',
  },
  {
    id: '53',
    breaks: 'a watch that goes on at another node tells nothing more, and no error',
    file: 'src/client/watch-stream.js',
    text: 'for (const revision of decodeEvents(payload)) {',
    replacement: 'for (const revision of this.#placement > 1 ? [] : decodeEvents(payload)) {',
    workload: 'watch',
  },
];
