/**
 * Bugs in what keeps faults within what a cluster can survive, and in what a run waits for: tests
 * have to notice them, since runs would tell of violations that are none, or miss some.
 */
import type { Mutant } from './mutant.ts';

type Bug = readonly [id: string, breaks: string, text: string, replacement: string];

function bugsIn(file: string, ...bugs: readonly Bug[]): Mutant[] {
  return bugs.map(([id, breaks, text, replacement]) => ({
    id: `bounds:${id}`,
    breaks,
    file: `jepsen-lite/simulation/${file}.js`,
    text,
    replacement,
    noticedBy: { type: 'tests', files: ['test/jepsen-lite/simulation-bounds.test.js'] },
  }));
}

export const boundsMutants: readonly Mutant[] = [
  ...bugsIn(
    'member-operator',
    ['joint', 'half of a change is taken for known to all', 'if (outgoing.length > 0)', 'if (0)'],
    [
      'down',
      'who is down is taken to know the members',
      'return known?.outgoing',
      'return !known || known.outgoing',
    ],
    [
      'half',
      'who knows half of a change is taken to know it',
      'known?.outgoing.length === 0',
      'known !== undefined',
    ],
    [
      'others',
      'who knows other members is taken to know these',
      ' && known.voters.join() === voters.join()',
      '',
    ],
  ),
  ...bugsIn('disk', [
    'soon',
    'a disk about to be damaged is taken for whole',
    ' || this.misdirectNext',
    '',
  ]),
  ...bugsIn(
    'operator',
    ['voter', "a voter's damaged disk is taken for whole", '!other.disk.mayBeDamaged && ', ''],
    ['learner', "a learner's damaged disk is taken for whole", '=> disk.mayBeDamaged', '=> 0'],
    [
      'known',
      'a disk is lost while members change',
      'if (!this.members.isKnownToAll(membership))',
      'if (0)',
    ],
  ),
  ...bugsIn(
    'healing',
    ['waiting', 'a core is chosen while a change waits', '!members.isWaiting || ', 'true || '],
    ['restart', 'no node begins again at the end', 'chance(RESTARTS)', 'chance(0)'],
    ['no-restart', 'all begin again in every run', 'chance(RESTARTS)', 'chance(1)'],
  ),
];
