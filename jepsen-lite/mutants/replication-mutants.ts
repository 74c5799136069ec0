/** Bugs of the log: what is sent, held, committed, kept and found again. */
import type { Mutant } from './mutant.ts';

const FOLLOWING = 'src/raft/following.js';
const COMMIT = 'src/raft/commit.js';

export const replicationMutants: readonly Mutant[] = [
  {
    id: '6',
    breaks: 'entries of earlier terms are committed by counting who holds them',
    file: COMMIT,
    text: 'if (log.termAt(index) !== core.term)',
    replacement: 'if (log.termAt(index) === undefined)',
  },
  {
    id: '7',
    breaks: 'a follower does not compare the term of the entry before',
    file: FOLLOWING,
    text: 'core.log.matches(prevIndex, prevTerm);',
    replacement: 'prevIndex <= core.log.lastIndex;',
  },
  {
    id: '8',
    breaks: 'entries that conflict with those of the leader are kept',
    file: FOLLOWING,
    text: 'core.log.matches(entry.index, entry.term);',
    replacement: 'entry.index <= core.log.lastIndex;',
  },
  {
    id: '9',
    breaks: 'every append cuts the log where its entries begin',
    file: FOLLOWING,
    text: 'while (at < entries.length && isHeld(core, entries[at]))',
    replacement: 'while (at < entries.length && entries[at].index <= core.commitIndex)',
  },
  {
    id: '10',
    breaks: 'a follower commits as far as the leader, also what it does not hold yet',
    file: FOLLOWING,
    text: 'followCommit(core, logIndex(Math.min(message.commit, matchIndex)));',
    replacement: 'followCommit(core, message.commit);',
  },
  {
    id: '12',
    breaks: 'appends of a leader whose term is over are taken',
    file: 'src/raft/dispatch.js',
    text: 'appendRequest: refuseAppend,',
    replacement: 'appendRequest: handleAppend,',
  },
  {
    id: '13',
    breaks: 'a follower acknowledges all it holds, not what the append covered',
    file: FOLLOWING,
    text: 'const matchIndex = logIndex(prevIndex + entries.length);',
    replacement: 'const matchIndex = core.log.lastIndex;',
    // What is sent first always meets the first conflict here, which nothing hangs on: a leader
    // may begin as early as it likes.
    also: [
      {
        file: 'src/raft/replication.js',
        text: 'const agreed = core.log.lastAtMost(result.hintIndex, result.hintTerm);',
        replacement:
          'const exact = core.log.lastAtMost(result.hintIndex, result.hintTerm);\n' +
          '            const agreed = Math.max(0, exact - 4);',
      },
    ],
  },
  {
    id: '20',
    breaks: 'entries are acknowledged before they are durable',
    file: 'src/node/turn.js',
    text: 'writer.write(output.persist, output.sendAfterPersist);',
    replacement:
      'for (const message of output.sendAfterPersist) this.#send(message);\n' +
      '        writer.write(output.persist, []);',
  },
  {
    id: '20b',
    breaks: 'a leader counts itself for entries that are not on its own disk yet',
    file: COMMIT,
    text: 'id === core.id ? log.persistedIndex :',
    replacement: 'id === core.id ? log.lastIndex :',
  },
  {
    id: '21',
    breaks: 'a log that conflicts with an installed snapshot goes on after it',
    file: 'src/raft/raft-log.js',
    text: 'const keepsSuffix = this.matches(index, term);',
    replacement: 'const keepsSuffix = index <= this.lastIndex;',
  },
  {
    id: '22',
    breaks: 'a snapshot is saved under the index before the one it shows',
    file: 'src/node/snapshot-saver.js',
    text: 'const meta = { index, term, time,',
    replacement: 'const meta = { index: index - 1, term, time,',
  },
  {
    id: '26',
    breaks: 'a damaged entry in the middle of a log is taken for its end',
    file: 'src/log-store/block-backend.js',
    text: 'await this.#medium.scanBlocks((first, bytes) => this.#takeUp(first, bytes, visit));',
    replacement:
      'let isWhole = true;\n' +
      '        await this.#medium.scanBlocks((first, bytes) => {\n' +
      '            if (!isWhole) return;\n' +
      '            try { this.#takeUp(first, bytes, visit); } catch { isWhole = false; }\n' +
      '        });',
    also: [
      {
        file: 'src/log-store/block-backend.js',
        text: "this.#checkHead(this.#decoded('head', decodeHead),",
        replacement: "void (this.#decoded('head', decodeHead),",
      },
    ],
  },
  {
    id: '34',
    breaks: 'the late end of a write confirms other entries that took its place since',
    file: 'src/raft/persist-tracker.js',
    text: 'write.covers = logIndex(Math.min(write.covers, last));',
    replacement: 'void write;',
  },
  {
    id: '35',
    breaks: 'a follower that refuses always names its last entry, and the leader believes it',
    file: FOLLOWING,
    text: 'const hintIndex = log.lastAtMost(candidate, message.prevTerm);',
    replacement: 'const hintIndex = candidate;',
    also: [
      {
        file: 'src/raft/replication.js',
        text: 'const agreed = core.log.lastAtMost(result.hintIndex, result.hintTerm);',
        replacement: 'const agreed = result.hintIndex;',
      },
      {
        // Else it would go back by one entry at least, and find the place in the end.
        file: 'src/raft/progress.js',
        text: 'Math.min(prev, agreed + 1)',
        replacement: 'agreed + 1',
      },
    ],
  },
  {
    id: '36',
    breaks: 'vote and term are written one after the other',
    file: 'src/node/disk-writer.js',
    text: 'settle(this.#runtime, this.#store.write(batch),',
    replacement:
      'const { metadata } = batch;\n' +
      '        const { term } = this.#store.getMetadata();\n' +
      '        const writing = metadata === undefined ? this.#store.write(batch)\n' +
      '            : this.#store.write({ metadata: { ...metadata, term } })\n' +
      '                .then(() => this.#store.write(batch));\n' +
      '        settle(this.#runtime, writing,',
  },
  {
    id: '37',
    breaks: 'bytes in flight are still counted after a follower was begun with anew',
    file: 'src/raft/inflight-window.js',
    text: '        this.#head = 0;\n        this.#bytes = 0;',
    replacement: '        this.#head = 0;',
  },
];
