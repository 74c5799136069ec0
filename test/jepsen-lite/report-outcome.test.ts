/** What a run's record says of it as a whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '../../jepsen-lite/checkers/verdict.ts';
import {
  outcomeOf,
  RUN_RECORD_VERSION,
  type RunRecord,
} from '../../jepsen-lite/simulation/run-record.ts';

const OK: Verdict = { type: 'ok', how: 'witness', checked: { operations: 1 } };
const UNKNOWN: Verdict = { type: 'unknown', why: 'no time' };
const ILLEGAL: Verdict = { type: 'illegal', message: 'no', operations: [] };

function record(verdicts: readonly Verdict[]): RunRecord {
  return {
    version: RUN_RECORD_VERSION,
    harness: 'simulation',
    seed: 1,
    workload: { name: 'register', promise: 'one copy' },
    configuration: {},
    replay: 'npx jepsen-lite replay --seed 1',
    phases: [],
    faults: [],
    history: [],
    nodes: [],
    messages: { sent: 0, kept: [], choice: 'all' },
    sometimes: {},
    results: verdicts.map((verdict) => ({ checker: 'register', promise: 'one copy', verdict })),
    notTested: [],
    traceHash: null,
    durationMs: 0,
    wallMs: 0,
  };
}

test('a run passed when every checker said so', () => {
  assert.equal(outcomeOf(record([OK, OK])), 'passed');
});

test('one checker without an answer leaves the run unknown', () => {
  assert.equal(outcomeOf(record([OK, UNKNOWN])), 'unknown');
});

test('one contradiction fails the run, whatever others could not tell', () => {
  assert.equal(outcomeOf(record([UNKNOWN, ILLEGAL, OK])), 'violation');
});

test('a violation found on the way fails the run that every checker passed', () => {
  const violation = {
    check: 'election-safety',
    message: 'two leaders',
    atMs: 1,
    nodes: [],
    operations: [],
  };
  assert.equal(outcomeOf({ ...record([OK]), violation }), 'violation');
});

test('where the harness broke off, what it had recorded counts all the same', () => {
  const violation = {
    check: 'harness',
    message: 'a fault could not be carried out',
    atMs: 1,
    nodes: [],
    operations: [],
  };
  const real = { harness: 'real' as const, violation };
  assert.equal(outcomeOf({ ...record([OK]), ...real }), 'unknown');
  assert.equal(outcomeOf({ ...record([OK, ILLEGAL]), ...real }), 'violation');
});
