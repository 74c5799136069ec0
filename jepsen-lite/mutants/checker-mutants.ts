/** Checks that look away: tests have to notice that what they ought to find is not found. */
import type { Mutant, Notice } from './mutant.ts';

function testsOf(name: string): Notice {
  return { type: 'tests', files: [`test/jepsen-lite/${name}.test.js`] };
}

/** A rule of a checker that finds nothing any more, for each of them. */
function blindRules(file: string, test: string, ...rules: readonly string[]): Mutant[] {
  return rules.map((rule) => ({
    id: `${file}:${rule}`,
    breaks: `the rule ${rule} of the checkers finds nothing`,
    file: `jepsen-lite/checkers/${file}.js`,
    text: `const ${rule} = `,
    replacement: `const ${rule} = () => undefined; const blind_${rule} = `,
    noticedBy: testsOf(test),
  }));
}

/** What is checked at every event of a simulated run, and is reported no more. */
function blindChecks(file: string, report: string, ...checks: readonly string[]): Mutant[] {
  return checks.map((check) => ({
    id: `simulation:${check}`,
    breaks: `nobody is told of a violation of ${check}`,
    file: `jepsen-lite/simulation/${file}.js`,
    text: `${report}('${check}',`,
    replacement: `[].push('${check}',`,
    noticedBy: testsOf('log-safety'),
  }));
}

const rules: readonly Mutant[] = [
  ...blindRules('append', 'checkers-set-append', 'once', 'noPhantom', 'onlyGrows', 'inTime'),
  ...blindRules('set', 'checkers-set-append', 'once', 'noPhantom', 'oneOrder', 'inTime'),
  ...blindRules('set', 'checkers-set-append', 'refusedForOthers'),
  ...blindRules('bank', 'checkers-bank', 'totalStays', 'noDebt', 'oneStatePerRevision'),
  ...blindRules('bank', 'checkers-bank', 'revisionsAddUp'),
  ...blindRules('exactly-once', 'checkers-bank', 'sumsDiffer', 'sumsAddUp', 'eventsOnce'),
  ...blindRules('revisions', 'checkers-bank', 'noneTwice', 'writesGoUp', 'readsGoUp'),
  ...blindRules('fence', 'checkers-lock', 'neverOlder', 'noUpdateLost'),
  ...blindRules('exclusion', 'checkers-lock', 'noOverlap', 'tokensGrow', 'grantedInOrder'),
  ...blindRules('exclusion', 'checkers-lock', 'tokensAreUnique'),
  ...blindRules('lock-queue', 'checkers-lock', 'queueInOrder', 'queueShowsHolders'),
  ...blindRules('lock-queue', 'checkers-lock', 'noOrphan', 'freedInTime'),
  ...blindRules('election', 'checkers-election', 'leaderIsTold', 'leadersGrow'),
  ...blindRules('election', 'checkers-election', 'observedInOrder', 'nothingInvented'),
  ...blindRules('map', 'checkers-election', 'neverBack', 'oneValuePerRevision', 'ownWritesShow'),
  ...blindRules('map', 'checkers-election', 'nothingMissing'),
  ...blindRules('sessions', 'checkers-sessions', 'noEarlyEnd', 'noRevival', 'ephemeralsGo'),
  ...blindRules('sessions', 'checkers-sessions', 'endsInTime'),
  ...blindRules('edges', 'checkers-sessions', 'noticeOnce', 'noticeOfItsKind', 'entriesStay'),
  ...blindRules('edges', 'checkers-sessions', 'silentAfterDisconnect', 'entriesGoWithSessions'),
  ...blindRules('edges', 'checkers-sessions', 'everyEndIsTold'),
  ...blindRules('watch', 'checkers-watch', 'agreement', 'inOrder', 'onlyWanted', 'nothingMissing'),
  ...blindRules('watch', 'checkers-watch', 'nothingInvented', 'previousIsTrue', 'resumesAhead'),
];

const searches: readonly Mutant[] = [
  {
    id: 'linearizability:search',
    breaks: 'a search that finds no order is taken for one that found one',
    file: 'jepsen-lite/checkers/linearizability.js',
    text: "if (found.type === 'none') {",
    replacement: "if (found.type === 'never') {",
    noticedBy: testsOf('linearizability'),
  },
  {
    id: 'linearizability:witness',
    breaks: 'a witness need not respect real time',
    file: 'jepsen-lite/checkers/witness.js',
    text: 'if (operation.return !== null && operation.return < latestCall)',
    replacement: 'if (operation.return === undefined)',
    noticedBy: testsOf('checkers-all-orders'),
  },
];

const REPORT = 'this.#report';
const ACKNOWLEDGED = 'acknowledged-entries';

const events: readonly Mutant[] = [
  ...blindChecks('log-safety', REPORT, 'term-monotone', 'one-vote', 'vote-up-to-date'),
  ...blindChecks('log-safety', REPORT, 'vote-durable', 'election-quorum', 'leader-completeness'),
  ...blindChecks('log-safety', REPORT, 'leader-append-only', 'needless-cut', 'committed-stays'),
  ...blindChecks('log-safety', REPORT, 'state-machine-safety', 'commit-quorum'),
  ...blindChecks('log-safety', 'this.#violations.report', 'election-safety'),
  ...blindChecks('commit-terms', 'this.#violations.report', 'commit-term'),
  ...blindChecks('transfer-safety', 'this.#violations.report', 'transfer'),
  ...blindChecks(ACKNOWLEDGED, 'violations.report', 'acknowledged-durable'),
  ...blindChecks(ACKNOWLEDGED, 'violations.report', 'acknowledged-leader', 'acknowledged-match'),
];

export const checkerMutants: readonly Mutant[] = [...rules, ...searches, ...events];
