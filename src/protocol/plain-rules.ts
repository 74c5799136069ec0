/** The rules that schemas name by themselves, in the words of everything else here. */
import type { z } from 'zod';
import { unreachable } from '../base/index.ts';

const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'text',
};

/**
 * Goes with a parse, `schema.safeParse(value, plainRules)`; a message of the schema's own is left
 * as it is.
 */
export const plainRules: { readonly error: (issue: z.core.$ZodRawIssue) => string } = {
  error: plainRule,
};

function plainRule(issue: z.core.$ZodRawIssue): string {
  const { input } = issue;
  const instead = input === undefined ? ', and is missing' : `, not ${kindOf(input)}`;
  switch (issue.code) {
    case 'invalid_type':
      return `${KINDS[issue.expected] ?? issue.expected} is expected${instead}`;
    case 'invalid_value':
      return `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')} is expected`;
    case 'too_small':
      return `at least ${issue.minimum}${unitOf(issue.origin)} is expected`;
    case 'too_big':
      return `at most ${issue.maximum}${unitOf(issue.origin)} is expected`;
    case 'unrecognized_keys':
      return `there is no field ${issue.keys.map((key) => `'${key}'`).join(', ')}`;
    case 'invalid_union':
      return input === undefined ? 'it is missing' : `it cannot be ${JSON.stringify(input)}`;
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'not_multiple_of':
      return issue.message ?? 'it is not valid';
    default:
      return unreachable(issue);
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' in the list' : '';
}

function kindOf(input: unknown): string {
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'a list';
  return KINDS[typeof input] ?? typeof input;
}
