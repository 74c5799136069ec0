/**
 * Bugs of the harness itself: faults that do nothing, and checkers that look away. Nothing a
 * cluster does could show them, so they are to be noticed otherwise.
 */
import type { Mutant } from './mutant.ts';

const NETWORK = 'jepsen-lite/simulation/network.js';
const DISK = 'jepsen-lite/simulation/disk.js';
const INJECTOR = 'jepsen-lite/simulation/injector.js';

/** A fault that does nothing; `name` is the situation that it should bring about. */
function idleFault(name: string, mutant: Omit<Mutant, 'noticedBy'>): Mutant {
  return { ...mutant, noticedBy: { type: 'situation', name } };
}

const idleFaults: readonly Mutant[] = [
  idleFault('messageCut', {
    id: 'partition',
    breaks: 'a partition cuts nothing',
    file: NETWORK,
    text: 'this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1);',
    replacement: 'void link;',
  }),
  idleFault('messageLost', {
    id: 'loss',
    breaks: 'no message is lost',
    file: NETWORK,
    text: 'if (loss > 0 && random() < loss) {',
    replacement: 'if (loss > 1) {',
  }),
  idleFault('messageRepeated', {
    id: 'duplicate',
    breaks: 'no message comes twice',
    file: NETWORK,
    text: 'if (duplicate > 0 && random() < duplicate) {',
    replacement: 'if (duplicate > 1) {',
  }),
  idleFault('frameRefused', {
    id: 'corrupt',
    breaks: 'no frame is damaged',
    file: NETWORK,
    text: 'const isDamaged = corrupt > 0 && random() < corrupt;',
    replacement: 'const isDamaged = false;',
  }),
  idleFault('unsyncedLost', {
    id: 'power',
    breaks: 'a disk without power keeps what was never synced',
    file: DISK,
    text: 'for (const lose of undo)',
    replacement: 'for (const lose of [])',
  }),
  idleFault('tornTail', {
    id: 'torn',
    breaks: 'no write is torn by a crash',
    file: DISK,
    text: 'this.tornTail = true;',
    replacement: '',
  }),
  idleFault('writeFailed', {
    id: 'disk-error',
    breaks: 'a failing disk takes every write',
    file: 'jepsen-lite/simulation/medium.js',
    text: 'const { trouble } = this.#disk;',
    replacement: 'const trouble = undefined;',
  }),
  idleFault('damageFound', {
    id: 'bit-flip',
    breaks: 'nothing stored is damaged',
    file: DISK,
    text: 'value.put(flipped);',
    replacement: '',
    also: [
      {
        file: DISK,
        text: 'if (!this.misdirectNext || others.length === 0)',
        replacement: 'if (others.length >= 0)',
      },
    ],
  }),
  idleFault('crashedWhilePending', {
    id: 'crash',
    breaks: 'no process dies',
    file: INJECTOR,
    text: 'this.#operator.end(id, power);',
    replacement: '',
  }),
  idleFault('processPaused', {
    id: 'pause',
    breaks: 'no process stands still',
    file: INJECTOR,
    text: 'node.life.stalledUntil = Math.max(node.life.stalledUntil, untilMs);',
    replacement: '',
  }),
  idleFault('clientCut', {
    id: 'client-cut',
    breaks: 'no connection of a client breaks',
    file: 'jepsen-lite/simulation/client-network.js',
    text: 'for (const connection of target.connections) {',
    replacement: 'for (const connection of []) {',
    also: [
      {
        file: 'jepsen-lite/simulation/client-network.js',
        text: 'for (const connection of connections) {',
        replacement: 'for (const connection of []) {',
      },
    ],
  }),
  idleFault('membershipChanged', {
    id: 'membership',
    breaks: 'no membership changes',
    file: INJECTOR,
    text:
      "            case 'membership':\n" +
      '                return this.#operator.changeMembership(fault);\n' +
      "            case 'crash':",
    replacement:
      "            case 'membership':\n" +
      '                return { targets: [] };\n' +
      "            case 'crash':",
  }),
  idleFault('leadershipTransferred', {
    id: 'transfer',
    breaks: 'leadership is never handed over',
    file: INJECTOR,
    text: 'return this.#operator.transfer(fault.to);',
    replacement: 'return { targets: [] };',
  }),
];

/** A rule left out of a list of them in the build, for each of the list. */
function rulesLeftOut(
  checker: string,
  list: string,
  rules: readonly string[],
  test: string,
): Mutant[] {
  return rules.map((rule, at) => ({
    id: `${checker}:${/(\w+)\)?$/.exec(rule)![1]!}`,
    breaks: `the checker of ${checker} leaves out a rule`,
    file: `jepsen-lite/checkers/${checker}.js`,
    text: listText(list, rules),
    replacement: listText(list, rules.toSpliced(at, 1)),
    noticedBy: { type: 'tests', files: [`test/jepsen-lite/${test}.test.js`] },
  }));
}

/** As the compiler leaves it: on one line, or one line for each. */
function listText(begin: string, rules: readonly string[]): string {
  if (begin.endsWith('\n')) {
    const indent = /^ */.exec(begin)![0];
    return `${begin}${rules.map((rule) => `${indent}    ${rule},\n`).join('')}`;
  }
  return `${begin}${rules.join(', ')}]`;
}

const eachOf = (...rules: string[]): string[] => rules.map((rule) => `inEach(${rule})`);
const RULES = 'rules: [';

const blindCheckers: readonly Mutant[] = [
  ...rulesLeftOut(
    'append',
    RULES,
    eachOf('once', 'noPhantom', 'onlyGrows', 'inTime'),
    'checkers-set-append',
  ),
  ...rulesLeftOut(
    'set',
    RULES,
    eachOf('once', 'noPhantom', 'oneOrder', 'inTime'),
    'checkers-set-append',
  ),
  ...rulesLeftOut(
    'bank',
    RULES,
    ['totalStays', 'noDebt', 'oneStatePerRevision', 'revisionsAddUp'],
    'checkers-bank',
  ),
  ...rulesLeftOut(
    'exactly-once',
    RULES,
    eachOf('sumsDiffer', 'sumsAddUp', 'eventsOnce'),
    'checkers-bank',
  ),
  ...rulesLeftOut('revisions', RULES, ['noneTwice', 'writesGoUp', 'readsGoUp'], 'checkers-bank'),
  ...rulesLeftOut('fence', RULES, eachOf('neverOlder'), 'checkers-lock'),
  ...rulesLeftOut('fence', RULES, eachOf('noUpdateLost'), 'checkers-lock'),
  ...rulesLeftOut(
    'lock',
    'HOLD_RULES = [',
    ['noOverlap', 'tokensAreUnique', 'grantedInOrder', 'tokensGrow'],
    'checkers-lock',
  ),
  ...rulesLeftOut(
    'lock',
    'QUEUE_RULES = [',
    ['queueInOrder', 'queueShowsHolders', 'noOrphan', 'freedInTime'],
    'checkers-lock',
  ),
  ...rulesLeftOut(
    'map',
    RULES,
    ['neverBack', 'oneValuePerRevision', 'ownWritesShow', 'nothingMissing'],
    'checkers-election',
  ),
  ...rulesLeftOut(
    'sessions',
    RULES,
    ['noEarlyEnd', 'noRevival', 'ephemeralsGo', 'endsInTime', '...edgeRules'],
    'checkers-sessions',
  ),
  ...rulesLeftOut(
    'watch',
    '    rules: [\n',
    [
      'agreement',
      'inOrder',
      'onlyWanted',
      'nothingMissing',
      'nothingInvented',
      'previousIsTrue',
      'compactionIsTold',
      'resumesAhead',
    ],
    'checkers-watch',
  ),
  {
    id: 'linearizability:search',
    breaks: 'a search that finds no order is taken for one that found one',
    file: 'jepsen-lite/checkers/linearizability.js',
    text: "if (found.type === 'none') {",
    replacement: "if (found.type === 'never') {",
    noticedBy: { type: 'tests', files: ['test/jepsen-lite/linearizability.test.js'] },
  },
  {
    id: 'linearizability:witness',
    breaks: 'a witness need not respect real time',
    file: 'jepsen-lite/checkers/witness.js',
    text: 'if (operation.return !== null && operation.return < latestCall)',
    replacement: 'if (operation.return === undefined)',
    noticedBy: { type: 'tests', files: ['test/jepsen-lite/linearizability.test.js'] },
  },
];

export const harnessMutants: readonly Mutant[] = [...idleFaults, ...blindCheckers];
