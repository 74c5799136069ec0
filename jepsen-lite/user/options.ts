/** What users give, checked before anything runs: every rule that is broken is named. */
import { z } from 'zod';
import { HoldfastError } from '../../src/base/index.ts';
import { parseDuration } from '../../src/client/index.ts';
import { describeIssues, optionsSchema, plainRules } from '../../src/protocol/index.ts';
import { parseSeeds } from '../simulation/seeds.ts';
import { workloads } from '../workloads/index.ts';

const MAX_NODES = 9;
const MAX_CLIENTS = 100;

function callable(rule: string): z.ZodType {
  return z.custom((value) => typeof value === 'function', rule);
}

/** Anything that `read` does not throw at. */
function readable(read: (value: string | number) => unknown): z.ZodType {
  const value = z.union([z.string(), z.number()], 'text or a number');
  return value
    .superRefine((given, context) => {
      try {
        read(given);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        context.addIssue({ code: 'custom', message });
      }
    })
    .optional();
}

function upTo(most: number): z.ZodType {
  const rule = `a whole number from 1 to ${most}`;
  return z.int(rule).min(1, rule).max(most, rule).optional();
}

function named(rule: string): z.ZodType {
  return z.string(rule).min(1, rule).optional();
}

const choice = {
  seeds: readable((seeds) => parseSeeds(String(seeds))),
  time: readable((time) => parseDuration(time, 'it')),
  nodes: upTo(MAX_NODES),
  clients: upTo(MAX_CLIENTS),
  shrink: readable((time) => Number(time) === 0 || parseDuration(time, 'it')),
  replay: named('the name of a file that was saved, or its text'),
  save: named('the name of a folder'),
  report: named('the name of a file'),
};

function isCheck(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null || !('check' in value)) return false;
  return typeof value.check === 'function';
}

const machineOptions = optionsSchema({
  stateMachine: callable('a function that returns a new state machine'),
  workload: callable('an asynchronous function that takes a client'),
  finish: callable('an asynchronous function that takes a client').optional(),
  check: z.custom(isCheck, 'a function that takes a history, or a checker').optional(),
  ...choice,
});

const isWorkload = (name: unknown): boolean =>
  typeof name === 'string' && Object.hasOwn(workloads, name);

const storeOptions = optionsSchema({
  test: callable('a function that takes a name and a function, as that of node:test does'),
  create: callable('a function that takes a directory and returns a LogStore'),
  workload: z.custom(isWorkload, `one of ${Object.keys(workloads).join(', ')}`).optional(),
  ...choice,
});

/** @throws HoldfastError `invalid-argument` */
export function checkMachineOptions(options: unknown): void {
  check('simulate', machineOptions, options);
}

/** @throws HoldfastError `invalid-argument` */
export function checkStoreOptions(options: unknown): void {
  check('testLogStoreUnderFaults', storeOptions, options);
}

/**
 * Of what a user's function made: it has these methods.
 * @throws HoldfastError `invalid-argument`
 */
export function mustHave(what: string, made: unknown, methods: readonly string[]): void {
  const isObject = typeof made === 'object' && made !== null;
  const missing = methods.filter((name) => !isObject || typeof fieldOf(made, name) !== 'function');
  if (missing.length === 0) return;
  const which = made instanceof Promise ? 'a promise' : `something without ${missing.join(', ')}`;
  throw new HoldfastError('invalid-argument', `${what} returned ${which}`);
}

function fieldOf(made: object, name: string): unknown {
  return Reflect.get(made, name);
}

function check(what: string, schema: z.ZodType, options: unknown): void {
  const parsed = schema.safeParse(options, plainRules);
  if (parsed.success) return;
  throw new HoldfastError('invalid-argument', `${what}: ${describeIssues(parsed.error)}`);
}
