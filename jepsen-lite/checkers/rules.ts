/** Checkers that are a list of rules, each of which a history may break. */
import type { Operation } from '../history/operation.ts';
import {
  knownCheckOptions,
  provesNothing,
  type CheckOptions,
  type Checker,
  type Verdict,
} from './verdict.ts';

/** How a history breaks a rule: one sentence, and the operations it names. */
export interface Contradiction {
  readonly message: string;
  readonly operations: readonly Operation[];
}

/** What the run allowed for, in the history's own unit. */
export interface Bounds {
  readonly skewNs: number;
  readonly driftShare: number;
  readonly marginNs: number;
}

/** Undefined when the rule holds. */
export type Rule<View> = (view: View, bounds: Bounds) => Contradiction | undefined;

export interface RuleChecker<View> {
  readonly name: string;
  readonly promise: string;
  /** The history as the rules want to see it. */
  view(history: readonly Operation[]): View;
  /** The first that is broken is told: those that others follow from come first. */
  readonly rules: readonly Rule<View>[];
  /** What there was to compare. When all are 0 the verdict is `unknown`. */
  counts(view: View): Readonly<Record<string, number>>;
  /**
   * Whether there is anything that could have contradicted: else the verdict is `unknown`, too, for
   * acts that nobody looked at prove nothing.
   */
  couldFail(view: View): boolean;
  /** What that takes, in words. */
  readonly takes: string;
}

const DEFAULT_MARGIN_MS = 10_000;
const NS_PER_MS = 1e6;

export function ruleChecker<View>(spec: RuleChecker<View>): Checker {
  const { name, promise } = spec;
  return { name, promise, check: (history, options) => checkRules(spec, history, options) };
}

function checkRules<View>(
  spec: RuleChecker<View>,
  history: readonly Operation[],
  options: CheckOptions = {},
): Verdict {
  knownCheckOptions(options);
  const view = spec.view(history);
  const bounds = {
    skewNs: (options.skewMs ?? 0) * NS_PER_MS,
    driftShare: options.driftShare ?? 0,
    marginNs: (options.marginMs ?? DEFAULT_MARGIN_MS) * NS_PER_MS,
  };
  for (const rule of spec.rules) {
    const contradiction = rule(view, bounds);
    if (contradiction !== undefined) return illegal(contradiction);
  }
  const checked = spec.counts(view);
  if (Object.values(checked).every((count) => count === 0)) {
    const wanted = Object.keys(checked).join(', ');
    return { type: 'unknown', why: `the history has nothing of what is checked: ${wanted}` };
  }
  if (!spec.couldFail(view)) return provesNothing(spec.takes);
  return { type: 'ok', how: 'rules', checked };
}

function illegal({ message, operations }: Contradiction): Verdict {
  const inOrder = operations.toSorted((a, b) => a.call - b.call);
  return { type: 'illegal', message, operations: inOrder };
}

/** The first contradiction among parts of a view that share nothing. */
export function inEach<Part>(
  rule: Rule<Part>,
): Rule<{ readonly parts: ReadonlyMap<string, Part> }> {
  return ({ parts }, bounds) => {
    for (const part of parts.values()) {
      const contradiction = rule(part, bounds);
      if (contradiction !== undefined) return contradiction;
    }
    return undefined;
  };
}

/** All of these must hold; the verdict is the first that is not `ok`, illegal before unknown. */
export function allOf(name: string, promise: string, checkers: readonly Checker[]): Checker {
  return {
    name,
    promise,
    orders: (history, options) => {
      return checkers.flatMap((one) => one.orders?.(history, options) ?? []);
    },
    check(history, options) {
      let unknown: Verdict | undefined;
      const checked: Record<string, number> = {};
      const hows = new Set<string>();
      for (const checker of checkers) {
        const verdict = checker.check(history, options);
        if (verdict.type === 'illegal') return verdict;
        if (verdict.type === 'unknown') {
          unknown ??= verdict;
          continue;
        }
        hows.add(verdict.how);
        for (const [what, count] of Object.entries(verdict.checked)) {
          checked[what] = Math.max(checked[what] ?? 0, count);
        }
      }
      return unknown ?? { type: 'ok', how: [...hows].join(', '), checked };
    },
  };
}
