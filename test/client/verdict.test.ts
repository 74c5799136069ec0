/** Who is right, from what each member's tree said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, type Compared, type Reading } from '../../src/client/verdict.ts';

type Said = Compared['type'] | `${string}@${number}`;

/** `x@7` stands for the root x at revision 7; ids in capitals are learners. */
function readings(said: Readonly<Record<string, Said>>): Reading[] {
  return Object.entries(said).map(([id, what]) => {
    const role = id === id.toLowerCase() ? 'voter' : 'learner';
    const member = { id, role, address: `${id}:1` } as const;
    const [root = '', revision] = what.split('@');
    if (revision !== undefined) {
      return { member, type: 'read', root, revision: Number(revision), keys: 3 };
    }
    return { member, type: what as 'behind', note: 'why' };
  });
}

const CASES: readonly [string, Readonly<Record<string, Said>>, string][] = [
  ['all the same', { a: 'x@7', b: 'x@7', c: 'x@7' }, 'majority: a equal, b equal, c equal'],
  [
    'one differs',
    { a: 'x@7', b: 'y@7', c: 'x@7' },
    'diverged majority: a equal, b diverged, c equal',
  ],
  [
    'the same keys at another revision',
    { a: 'x@7', b: 'x@8', c: 'x@7' },
    'diverged majority: a equal, b diverged, c equal',
  ],
  [
    'one against one',
    { a: 'x@7', b: 'y@7', c: 'unreachable' },
    'diverged: a diverged, b diverged, c unreachable',
  ],
  [
    'three opinions',
    { a: 'x@7', b: 'y@7', c: 'z@7' },
    'diverged: a diverged, b diverged, c diverged',
  ],
  [
    'two of three are there',
    { a: 'x@7', b: 'x@7', c: 'behind' },
    'majority: a equal, b equal, c behind',
  ],
  [
    'one of three is there',
    { a: 'x@7', b: 'behind', c: 'behind' },
    ': a equal, b behind, c behind',
  ],
  ['nobody is there', { a: 'behind', b: 'unreachable' }, ': a behind, b unreachable'],
  [
    'learners do not vote',
    { a: 'x@7', b: 'x@7', C: 'y@7', D: 'y@7', E: 'y@7' },
    'diverged majority: a equal, b equal, C diverged, D diverged, E diverged',
  ],
  [
    'half of the voters is no majority',
    { a: 'x@7', b: 'x@7', c: 'y@7', d: 'y@7' },
    'diverged: a diverged, b diverged, c diverged, d diverged',
  ],
  [
    'one that did not take the lock',
    { a: 'x@7', b: 'strange', c: 'x@7' },
    'diverged majority: a equal, b diverged, c equal',
  ],
  ['only such a one', { a: 'strange' }, ': a diverged'],
];

for (const [name, said, expected] of CASES) {
  test(`[TREE-48] ${name}`, () => {
    const { members, diverged, majority } = judge(readings(said));
    const words = [diverged ? 'diverged' : '', majority ? 'majority' : ''].filter((one) => one);
    const states = members.map(({ id, state }) => `${id} ${state}`).join(', ');
    assert.equal(`${words.join(' ')}: ${states}`, expected);
  });
}
