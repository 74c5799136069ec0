/** The log in memory and what is durable of it, against a naive log that keeps everything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Entry, PersistRequest } from '../../../src/raft/index.ts';
import { RaftLog } from '../../../src/raft/raft-log.ts';
import { at, clusterOf, command, fresh, inTerm, snapshotAt } from './fixtures.ts';

const MEMBERSHIP = clusterOf('a', 'b', 'c');

/** The whole log, the disk, and the writes on their way to it. */
class NaiveLog {
  entries: Entry[] = [];
  disk: Entry[] = [];
  snapshotIndex = 0;
  readonly pending: PersistRequest[] = [];

  get lastIndex(): number {
    return this.entries.at(-1)?.index ?? this.snapshotIndex;
  }

  complete(): PersistRequest {
    const { truncateFrom, entries, compactThrough } = this.pending[0]!;
    if (truncateFrom !== undefined) this.disk = this.disk.filter((e) => e.index < truncateFrom);
    for (const entry of entries) {
      const expected = (this.disk.at(-1)?.index ?? this.snapshotIndex) + 1;
      assert.equal(entry.index, expected, 'the disk would have a gap');
      this.disk.push(entry);
    }
    if (compactThrough !== undefined) {
      assert.ok(compactThrough <= this.snapshotIndex, 'compacted beyond the snapshot');
      this.disk = this.disk.filter((e) => e.index > compactThrough);
    }
    return this.pending.shift()!;
  }

  /** Up to where disk and log are the same, entry by entry. */
  get durableThrough(): number {
    let through = this.snapshotIndex;
    for (const entry of this.entries) {
      if (entry.index <= through) continue;
      if (!this.disk.includes(entry)) break;
      through = entry.index;
    }
    return through;
  }
}

function assertEqual(log: RaftLog, naive: NaiveLog, applied: number): void {
  assert.equal(log.lastIndex, naive.lastIndex);
  assert.ok(log.persistedIndex <= naive.durableThrough, 'nothing counts as durable too early');
  for (const entry of naive.entries) {
    assert.equal(log.termAt(entry.index), entry.term);
    const held = log.entryInMemory(entry.index);
    if (held !== undefined) assert.equal(held, entry);
    const needed = entry.index > Math.min(applied, log.persistedIndex);
    if (needed) assert.equal(held, entry, `entry ${entry.index} is needed in memory`);
  }
  if (naive.pending.length === 0 && !log.writePending) {
    assert.equal(log.persistedIndex, log.lastIndex);
    assert.deepEqual(
      naive.disk.filter((e) => e.index > naive.snapshotIndex),
      naive.entries.filter((e) => e.index > naive.snapshotIndex),
    );
  }
}

const step = fc.record({
  do: fc.constantFrom('append', 'truncate', 'write', 'complete', 'apply', 'snapshot', 'install'),
  by: fc.nat(6),
});

test('[RAFT-8] the log, its memory and its disk agree with a naive log', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const log = new RaftLog(fresh(MEMBERSHIP));
      const naive = new NaiveLog();
      let term = 1;
      let applied = 0;
      for (const { do: what, by } of steps) {
        switch (what) {
          case 'append':
            for (let i = 0; i < by; i++) {
              const entry = command(log.lastIndex + 1, term, by);
              log.append(entry);
              naive.entries.push(entry);
            }
            break;
          case 'truncate': {
            const from = Math.max(applied + 1, log.lastIndex + 1 - by);
            log.truncateFrom(at(from));
            naive.entries = naive.entries.filter((e) => e.index < from);
            term++;
            break;
          }
          case 'write':
            if (log.writePending) naive.pending.push(log.issueWrite(undefined));
            break;
          case 'complete':
            if (naive.pending.length > 0) log.completeWrite(naive.complete().token);
            break;
          case 'apply':
            applied = Math.min(applied + by, log.persistedIndex);
            log.evict(at(applied), 5);
            break;
          case 'snapshot':
            naive.snapshotIndex = applied;
            log.compact(at(applied));
            naive.entries = naive.entries.filter((e) => e.index > applied);
            break;
          case 'install': {
            // The core makes sure that nothing is being written meanwhile.
            if (!log.idle) break;
            const index = applied + by + 1;
            const agrees = by % 2 === 0 ? log.termAt(at(index)) : undefined;
            const meta = snapshotAt(index, agrees ?? ++term, MEMBERSHIP);
            naive.snapshotIndex = index;
            naive.entries =
              agrees === undefined ? [] : naive.entries.filter((e) => e.index > index);
            log.install(meta);
            applied = index;
            break;
          }
        }
        assertEqual(log, naive, applied);
      }
    }),
    { numRuns: 400 },
  );
});

test('[RAFT-9] a late completion does not confirm entries that took the place of its own', () => {
  const log = new RaftLog(fresh(MEMBERSHIP));
  for (const entry of [command(1, 1), command(2, 1), command(3, 1)]) log.append(entry);
  const first = log.issueWrite(undefined);
  log.truncateFrom(at(2));
  for (const entry of [command(2, 2), command(3, 2)]) log.append(entry);
  const second = log.issueWrite(undefined);
  assert.deepEqual([second.truncateFrom, second.entries.length], [2, 2]);
  log.completeWrite(first.token);
  assert.equal(log.persistedIndex, 1);
  log.completeWrite(second.token);
  assert.equal(log.persistedIndex, 3);
});

test('[RAFT-9] one completion confirms every write before it, and a repeated one nothing', () => {
  const log = new RaftLog(fresh(MEMBERSHIP));
  log.append(command(1, 1));
  const first = log.issueWrite({ term: inTerm(1), votedFor: undefined });
  log.append(command(2, 1));
  const second = log.issueWrite({ term: inTerm(2), votedFor: undefined });
  assert.deepEqual(log.completeWrite(second.token), { term: 2, votedFor: undefined });
  assert.equal(log.persistedIndex, 2);
  assert.equal(log.completeWrite(first.token), undefined);
  assert.throws(() => log.completeWrite((second.token + 1) as never), /never issued/);
});

test('[RAFT-9] entries truncated before they were ever written never reach the disk', () => {
  const log = new RaftLog(fresh(MEMBERSHIP));
  log.append(command(1, 1));
  log.append(command(2, 1));
  log.truncateFrom(at(2));
  log.append(command(2, 2));
  const write = log.issueWrite(undefined);
  assert.equal(write.truncateFrom, undefined);
  assert.deepEqual(
    write.entries.map(({ index, term }) => [index, term]),
    [
      [1, 1],
      [2, 2],
    ],
  );
});

test('[RAFT-8] a slice holds at most its bytes, and at least one entry', () => {
  const log = new RaftLog(fresh(MEMBERSHIP));
  for (let i = 1; i <= 5; i++) log.append(command(i, 1, 10));
  const cut = (maxBytes: number): number[] =>
    log.slice(at(2), at(5), maxBytes).entries.map(({ index }) => index);
  assert.deepEqual(cut(0), [2]);
  assert.deepEqual(cut(19), [2]);
  assert.deepEqual(cut(20), [2, 3]);
  assert.deepEqual(cut(1000), [2, 3, 4, 5]);
  assert.equal(log.slice(at(2), at(3), 1000).bytes, 20);
});

test('[RAFT-8] what is durable and applied stays in memory only up to its limit', () => {
  const log = new RaftLog(fresh(MEMBERSHIP));
  for (let i = 1; i <= 3000; i++) log.append(command(i, 1, 10));
  log.completeWrite(log.issueWrite(undefined).token);
  assert.equal(log.memoryFirst, 1);
  log.evict(at(2000), 50);
  assert.equal(log.memoryFirst, 1996);
  log.evict(at(3000), 0);
  assert.equal(log.memoryFirst, 3001);
  assert.equal(log.entryInMemory(at(3000)), undefined);
  log.append(command(3001, 1));
  assert.equal(log.entryInMemory(at(3001))?.index, 3001);
});
