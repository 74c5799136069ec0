/**
 * Bugs in what the rules of checkers stand on: the search, models, and how a history is read. Some
 * find too little, some find what is not there; tests have to notice both.
 */
import type { Mutant, Notice } from './mutant.ts';

type Bug = readonly [id: string, breaks: string, text: string, replacement: string];

/** Bugs in one file, which the tests of these names notice. */
function bugsIn(file: string, tests: readonly string[], ...bugs: readonly Bug[]): Mutant[] {
  const files = tests.map((name) => `test/jepsen-lite/${name}.test.js`);
  const noticedBy: Notice = { type: 'tests', files };
  return bugs.map(([id, breaks, text, replacement]) => {
    const path = `jepsen-lite/${file}.js`;
    return {
      id: `${file.split('/').at(-1)}:${id}`,
      breaks,
      file: path,
      text,
      replacement,
      noticedBy,
    };
  });
}

const ALL_ORDERS = ['checkers-all-orders'];

const searching: readonly Mutant[] = [
  ...bugsIn(
    'checkers/linearizability',
    ALL_ORDERS,
    ['failed', 'what certainly failed is taken for done', "type === 'fail')", "type === 'never')"],
    [
      'unknown',
      'a write of unknown outcome is taken not to have happened',
      "if (operation.type === 'info' && model.readsOnly(operation))",
      "if (operation.type === 'info')",
    ],
  ),
  ...bugsIn(
    'checkers/linearizability',
    ['linearizability'],
    [
      'time-limit',
      'a search that gave up is taken for one that found an order',
      'if (unknown !== undefined)',
      "if (unknown === '')",
    ],
  ),
  ...bugsIn(
    'checkers/linearizability-search',
    ALL_ORDERS,
    [
      'met-without-state',
      'places tried in one state are not tried in another',
      '|${text}`;',
      '|`;',
    ],
    [
      'met-without-unknown',
      'writes of unknown outcome that are left are not told apart',
      '|${this.#open.text()}|',
      '|',
    ],
    [
      'state-stays',
      'a place that is taken back leaves its state',
      'this.#state = placed.before;',
      '',
    ],
    [
      'hides',
      'a write of unknown outcome need not have happened, whatever follows from it',
      'this.#model.textOf(without) === text;',
      'true;',
    ],
  ),
  ...bugsIn(
    'checkers/linearizability-search',
    ['linearizability'],
    [
      'shows',
      'writes of unknown outcome are tried where the next call hides them',
      'if (this.#hidesTheLast(operation, text))',
      'if (operation === text)',
    ],
  ),
  ...bugsIn(
    'checkers/open-calls',
    ALL_ORDERS,
    [
      'latest',
      'of calls that are alike only the latest is tried',
      'this.#kinds[kind][this.#taken[kind]];',
      'this.#kinds[kind].at(-1 - this.#taken[kind]);',
    ],
    [
      'time',
      'a call of unknown outcome may take effect before it was made',
      '<= time ? i : undefined',
      '<= Infinity ? i : undefined',
    ],
  ),
  ...bugsIn(
    'checkers/open-calls',
    ['linearizability'],
    ['kinds', 'of calls that are alike every one is tried', 'model.kindOf?.(operation) ?? i', 'i'],
  ),
  ...bugsIn('checkers/values', ALL_ORDERS, [
    'alike',
    'calls are taken to be alike whatever they were called with',
    '[f, value]',
    '[f]',
  ]),
  ...bugsIn('checkers/pending-list', ALL_ORDERS, [
    'touching',
    'what begins when another ends is taken to come after it',
    'a.isReturn - b.isReturn',
    'b.isReturn - a.isReturn',
  ]),
  ...bugsIn(
    'checkers/placed-set',
    ['linearizability'],
    [
      'first-out',
      'what is taken out again is still counted as in',
      'if (i < this.#firstOut)',
      'if (i < -1)',
    ],
  ),
  ...bugsIn(
    'checkers/witness',
    ALL_ORDERS,
    ['model', 'a witness is not asked what it answered', 'if (next === undefined)', 'if (!next)'],
    ['undated', 'a witness leaves out what has no revision', "=== 'ok' ?", "=== 'x' ?"],
    [
      'refused',
      'a refused swap is taken to make the revision that it saw',
      'operation.output === false || ',
      '',
    ],
  ),
];

const models: readonly Mutant[] = [
  ...bugsIn(
    'checkers/register',
    ALL_ORDERS,
    [
      'get',
      'a read may answer anything',
      '(textOf(output) === state ? state : undefined)',
      'state',
    ],
    ['cas', 'a swap may answer anything', 'swaps !== (output !== false)', 'false'],
    ['delete', 'a delete may tell of anything', 'textOf(output) !== state)', 'false)'],
    ['increment', 'an increment may tell of any sum', 'Number(output) !== sum)', 'false)'],
    ['keys', 'all keys are one register', "(key ?? '')", "''"],
  ),
  ...bugsIn(
    'checkers/mutex',
    ALL_ORDERS,
    ['lock', 'a lock that is held is granted', 'state === FREE ? holder : undefined', 'holder'],
    [
      'unlock',
      'whoever likes unlocks',
      'return state === holder ? FREE : undefined;',
      'return FREE;',
    ],
    ['alike', 'calls are alike whoever made them', ' ${holderOf(operation)}`,', '`,'],
  ),
  ...bugsIn(
    'checkers/order-groups',
    ['checkers-set-append'],
    ['touching', 'what touches is in order', 'endOf(one) < latest', 'endOf(one) <= latest'],
    [
      'latest',
      'the earliest call of those before counts',
      'one.call > latest',
      'one.call < latest',
    ],
  ),
];

const reading: readonly Mutant[] = [
  ...bugsIn(
    'checkers/holds',
    ['checkers-lock'],
    ['acting', 'a holder that acts is not seen to hold', 'hold.toNs = operation.call;', 'void 0;'],
    ['refused', 'a refused release is an act', " && operation.type !== 'fail'", ''],
    ['asked', 'who asks again is taken to have asked before', 'asked.delete(place);', 'void 0;'],
  ),
  ...bugsIn(
    'checkers/exclusion',
    ['checkers-lock'],
    ['permits', 'any number of permits may be out', 'taken <= hold.limit', 'taken < Infinity'],
    ['readers', 'readers exclude each other', "return mode !== 'shared';", 'return true;'],
    ['skew', 'what clocks were apart is not allowed for', 'one.toNs - skewNs <=', 'one.toNs <='],
  ),
  ...bugsIn(
    'checkers/committed-log',
    ['checkers-watch'],
    ['before', 'a change is the one before itself', 'revision < revision', 'revision <= revision'],
    ['txn', 'what a transaction puts is not known', "if (f === 'txn') {", "if (f === 'x') {"],
  ),
  ...bugsIn(
    'checkers/watch-streams',
    ['checkers-watch'],
    ['whole', 'of a revision told in part nothing may follow', '=== true;', '!== null;'],
    ['progress', 'a progress mark says nothing', "f === 'progress' || fieldOf", 'fieldOf'],
    [
      'started',
      'from where a watch began is not known',
      'segment.from ??= revision + 1;',
      'void 0;',
    ],
    ['filter', 'a filter is not heard of', '&& type !== segment.events', '&& false'],
  ),
  ...bugsIn(
    'checkers/session-lives',
    ['checkers-sessions'],
    ['lists', 'who is not in a list of sessions may live', ', ...missing]', ']'],
    [
      'renewals',
      'a renewal that nobody confirmed counts',
      "'keep-alive' && one.type === 'ok'",
      "'keep-alive'",
    ],
    ['closable', 'exit notices end no session', ' && linked.has(output)', ' && false'],
  ),
  ...bugsIn(
    'checkers/rules',
    ['checkers-bank'],
    [
      'all-of',
      'of several checkers the last alone has a say',
      "if (verdict.type === 'illegal')\n                    return verdict;",
      '',
    ],
  ),
  ...bugsIn(
    'history/order',
    ['history-files'],
    [
      'in-order',
      'a process may call two things at once',
      'if (isInOrder(history))',
      'if (history)',
    ],
  ),
  ...bugsIn(
    'history/format',
    ['history-files'],
    ['timing', 'lines that return before they call are taken', 'end < call ?', 'end < 0 ?'],
  ),
];

export const judgingMutants: readonly Mutant[] = [...searching, ...models, ...reading];
