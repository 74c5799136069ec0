/** The runs of terms against a plain list with a term for every index. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { TermRuns } from '../../../src/raft/term-runs.ts';
import { at, inTerm } from './fixtures.ts';

/** What the runs stand for: `terms[i]` is the term of index `base + i`. */
interface Model {
  base: number;
  terms: number[];
}

const last = ({ base, terms }: Model): number => base + terms.length - 1;

function lastAtMost(model: Model, index: number, term: number): number {
  for (let i = Math.min(index, last(model)); i > model.base; i--) {
    if (model.terms[i - model.base]! <= term) return i;
  }
  return model.base;
}

function assertEqual(runs: TermRuns, model: Model): void {
  assert.equal(runs.lastIndex, last(model));
  assert.equal(runs.lastTerm, model.terms.at(-1));
  assert.equal(runs.baseIndex, model.base);
  for (let i = model.base - 2; i <= last(model) + 2; i++) {
    assert.equal(runs.termAt(at(i)), model.terms[i - model.base], `term at ${i}`);
  }
  for (const term of [0, 1, 2, 3, 5, 8]) {
    for (let i = model.base - 1; i <= last(model) + 1; i++) {
      const found = runs.lastAtMost(at(i), inTerm(term));
      assert.equal(found, lastAtMost(model, i, term), `last at most ${i}/${term}`);
    }
  }
}

const actions = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('append' as const), by: fc.nat(4), raise: fc.nat(2) }),
    fc.record({ do: fc.constant('truncate' as const), by: fc.nat(12), raise: fc.constant(0) }),
    fc.record({ do: fc.constant('compact' as const), by: fc.nat(12), raise: fc.constant(0) }),
    fc.record({ do: fc.constant('reset' as const), by: fc.nat(3), raise: fc.nat(1) }),
  ),
  { maxLength: 30 },
);

test('[RAFT-7] term runs tell what a list of all terms would', () => {
  fc.assert(
    fc.property(actions, (steps) => {
      const runs = new TermRuns({ first: at(0), term: inTerm(0) }, [], at(0));
      const model: Model = { base: 0, terms: [0] };
      for (const { do: what, by, raise } of steps) {
        const term = inTerm(runs.lastTerm + raise);
        switch (what) {
          case 'append':
            for (let i = 0; i <= by; i++) {
              runs.append(at(runs.lastIndex + 1), term);
              model.terms.push(term);
            }
            break;
          case 'truncate': {
            const from = Math.max(model.base + 1, last(model) + 1 - by);
            runs.truncateFrom(at(from));
            model.terms.length = from - model.base;
            break;
          }
          case 'compact': {
            const through = Math.min(model.base + by, last(model));
            runs.compactTo(at(through));
            model.terms.splice(0, through - model.base);
            model.base = through;
            break;
          }
          case 'reset':
            model.base = last(model) + by;
            model.terms = [term];
            runs.reset(at(model.base), term);
            break;
        }
        assertEqual(runs, model);
      }
    }),
    { numRuns: 200 },
  );
});

test('[RAFT-7] terms never fall along the log', () => {
  const runs = new TermRuns({ first: at(4), term: inTerm(3) }, [], at(4));
  assert.throws(() => runs.append(at(5), inTerm(2)), /terms never fall/);
  assert.throws(() => runs.append(at(4), inTerm(3)), /terms never fall/);
  assert.throws(() => runs.truncateFrom(at(4)), /base/);
});

test('[RAFT-7] recovered runs begin after their base', () => {
  const runs = new TermRuns(
    { first: at(5), term: inTerm(2) },
    [
      { first: at(3), term: inTerm(1) },
      { first: at(6), term: inTerm(2) },
      { first: at(9), term: inTerm(4) },
    ],
    at(10),
  );
  assertEqual(runs, { base: 5, terms: [2, 2, 2, 2, 4, 4] });
});
