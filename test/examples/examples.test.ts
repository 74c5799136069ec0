/** Every example does what its page says, run the way its page says. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { runExample, threeFreePorts, type ExampleRun } from './run-example.ts';

interface Expectation {
  readonly args: readonly string[];
  /** The lines printed, all of them, in this order. */
  readonly lines: readonly RegExp[];
}

const EXAMPLES: Readonly<Record<string, Expectation>> = {
  'embed-a-node': {
    args: [],
    lines: [
      /^[abc] leads$/,
      /^a wrote revision (\d+); b reads 100$/,
      /^c saw put config\/rate = 200$/,
      /^b works alone, with fencing token \d+; still ours: true$/,
    ],
  },
  backup: {
    args: [],
    lines: [
      /^saved keys: 2, one of them the lock's; sessions: 1; bytes: \d+$/,
      /^restored keys: 1; sessions ended, with locks: 1$/,
      /^config\/rate = 100$/,
      /^the lock is free, and its next token is larger: true$/,
    ],
  },
  fencing: {
    args: [],
    lines: [
      /^first holds the lock with token \d+, and pauses$/,
      /^second holds the lock with token \d+: it grew$/,
      /^without fencing the resource holds: the stale work of the first$/,
      /^the fenced resource refused token \d+$/,
      /^with fencing the resource holds: the work of the second$/,
      /^the registry answers the first one's put with: session-expired$/,
    ],
  },
  election: {
    args: [],
    lines: [
      /^first leads with token \d+$/,
      /^observed: elected 10\.0\.0\.1:8080$/,
      /^observed: proclaimed 10\.0\.0\.1:9090$/,
      /^the first one's signal is aborted: true$/,
      /^second leads, and its token is larger: true$/,
      /^observed: nobody leads$/,
      /^observed: elected 10\.0\.0\.2:8080$/,
      /^at the end there is a leader: false$/,
    ],
  },
  maps: {
    args: [],
    lines: [
      /^before anyone set it: false$/,
      /^told of new-checkout: enabled true, for 100 % of users$/,
      /^after: true, here too$/,
      /^refused with invalid-value: Too big.*<=1$/,
      /^served: new-checkout, old-checkout$/,
    ],
  },
  'same-everywhere': {
    args: [],
    lines: [
      /^all keys compared: a equal, b equal, c equal; diverged: false$/,
      /^one hash of jobs\/ on all nodes: true$/,
      /^another one after an update: true, again on all: true$/,
    ],
  },
  transactions: {
    args: [],
    lines: [
      /^the first time the transfer happened$/,
      /^the second time not: ada to bob: 40$/,
      /^accounts\/ada = 60, accounts\/bob = 40$/,
      /^swapped: true, then false, for it is 50$/,
      /^tickets 1 2 3 4 5$/,
    ],
  },
  'watch-and-resume': {
    args: [],
    lines: [
      /^watching after revision \d+$/,
      /^orders\/1: 1 x rope$/,
      /^watching after revision \d+$/,
      /^orders\/2: 2 x rope$/,
      /^orders\/3: 3 x rope$/,
      /^orders\/4: 4 x rope$/,
      /^no order was missed while revisions went on by 1$/,
    ],
  },
  'table-with-edges': {
    args: [],
    lines: [
      /^workers: first at 10\.0\.0\.1:80, second at 10\.0\.0\.2:80$/,
      /^first works already, at 10\.0\.0\.1:80$/,
      /^the supervisor is told: first is gone \(exit\)$/,
      /^workers: second at 10\.0\.0\.2:80$/,
      /^the supervisor is told: second is gone \(erased\)$/,
      /^the supervisor is told: first is gone \(noentry\)$/,
    ],
  },
  'your-own-state-machine': {
    args: [],
    lines: [/^visits after both: 5$/, /^a linearizable read on the other node: 5$/],
  },
  'swap-the-store': {
    args: [],
    lines: [
      /^each node keeps its log in a journal store$/,
      /^after a restart 100 of 100 keys are there$/,
      /^days\/100: done under token \d+$/,
    ],
  },
  'fault-injection-store': {
    args: ['3'],
    lines: [
      /^TAP/,
      /^# Subtest: a cluster on this store under faults, seed 3$/,
      /^ok 1 - a cluster on this store under faults, seed 3$/,
      ...Array.from({ length: 4 }, () => /^ |^1\.\.1$/),
      /^# tests 1$/,
      /^# suites 0$/,
      /^# pass 1$/,
      /^# fail 0$/,
      ...Array.from({ length: 4 }, () => /^# /),
    ],
  },
  'fault-injection-state-machine': {
    args: ['1..60', '0'],
    lines: [
      /^seed \d+, yours: violation of (state-equal|counter): /,
      /^left of it, and too much to be told here: \d+ faults, \d+ operations, \d nodes$/,
      /^\d+ runs?: \d+ passed, 1 with a violation, 0 unknown$/,
      /^\d+ operations under \d+ faults; \d+ s of the clusters' time in /,
      /^never happened, so not tested: /,
      /^what is left of it again: simulate\(\{ \.\.\., replay: '.+jepsen-lite-\d+\.json' \}\)$/,
      /^all of it: simulate\(\{ \.\.\., seeds: '\d+' \}\)$/,
      /^the bug was found$/,
    ],
  },
  'failover-tour': {
    // The tour itself promises a new leader within a second; a machine that runs tests beside it
    // may need longer, and how long is not what is tested here.
    args: ['--limit-ms', '30000'],
    lines: [
      /three nodes with SQLite logs under/,
      /[abc] leads$/,
      /importing \d+ packages of this machine/,
      /\d+ puts under first\/ acknowledged/,
      /took the lock tour\/lock: session \d+, fencing token \d+/,
      /SIGKILL to the leader [abc] \(pid \d+\) after \d+ puts/,
      /\d+ puts under second\/ acknowledged/,
      /ok {3}a new leader served \d+ ms after the kill/,
      /the leader is now [abc]$/,
      /ok {3}all \d+ acknowledged keys are there/,
      /ok {3}the lock is still held by session \d+ with token \d+/,
      /starting [abc] again/,
      /ok {3}[abc] came back and caught up to revision \d+/,
      /all 4 promises held$/,
    ],
  },
};

function assertLines(run: ExampleRun, expected: readonly RegExp[]): void {
  const all = run.lines.join('\n') + run.errors;
  assert.equal(run.lines.length, expected.length, all);
  for (const [i, pattern] of expected.entries()) assert.match(run.lines[i] ?? '', pattern, all);
}

for (const [name, { args, lines }] of Object.entries(EXAMPLES)) {
  test(`the example ${name} ends well and prints what it should`, async () => {
    const run = await runExample([name, ...args], await threeFreePorts());
    assert.equal(run.errors, '');
    assertLines(run, lines);
    assert.equal(run.code, 0);
  });
}

test('every example is run here', () => {
  const names = readdirSync('examples', { withFileTypes: true })
    .filter((one) => one.isDirectory() || one.name.endsWith('.ts'))
    .map((one) => one.name.replace(/\.ts$/, ''));
  assert.deepEqual(names.toSorted(), Object.keys(EXAMPLES).toSorted());
});

test('an example that is not there: the names of those that are', async () => {
  for (const args of [[], ['nonsense'], ['run']]) {
    const run = await runExample(args);
    assert.equal(run.code, 2);
    for (const name of Object.keys(EXAMPLES)) assert.match(run.errors, new RegExp(`\\b${name}\\b`));
  }
  const tour = await runExample(['failover-tour', '--limit-ms', 'soon']);
  assert.equal(tour.code, 2);
  assert.match(tour.errors, /--limit-ms takes a number above zero/);
});
