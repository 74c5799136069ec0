/** One line of a history file: checked as strictly as what any other program may have written. */
import { z } from 'zod';
import type { Operation } from './operation.ts';

/** What is wrong with a history, and in which line, counted from 1. */
export class HistoryError extends Error {
  readonly line: number;
  readonly rule: string;

  constructor(line: number, rule: string) {
    super(`line ${line}: ${rule}`);
    this.name = 'HistoryError';
    this.line = line;
    this.rule = rule;
  }
}

const time = (name: string): z.ZodNumber =>
  z.number(`${name} is a number of nanoseconds`).min(0, `${name} is not below 0`);

const lineSchema = z
  .looseObject(
    {
      process: z.int('process is a whole number').min(0, 'process is not below 0'),
      f: z.string('f is the name of what was called').min(1, 'f is not empty'),
      key: z.string('key is text').optional(),
      value: z.unknown().optional(),
      call: time('call'),
      return: z.union([time('return'), z.null()], 'return is a number of nanoseconds, or null'),
      type: z.enum(['ok', 'fail', 'info'], 'type is ok, fail or info'),
      output: z.unknown().optional(),
      revision: z.int('revision is a whole number').min(0, 'revision is not below 0').optional(),
      error: z.string('error is text').optional(),
      node: z.string('node is text').optional(),
    },
    'a line is one JSON object',
  )
  .superRefine((line, context) => {
    const fault = timingFault(line);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

function timingFault({
  type,
  call,
  return: end,
}: Pick<Operation, 'type' | 'call' | 'return'>): string | undefined {
  if (type === 'info') {
    return end === null
      ? undefined
      : 'return is null where type is info: nobody knows when it ends';
  }
  if (end === null) return `return is a number where type is ${type}`;
  return end < call ? `return (${end}) is before call (${call})` : undefined;
}

/** What else an operation has to be: the rule that it breaks, or undefined. */
export type LineRule = (operation: Operation) => string | undefined;

/**
 * The operation that a line says; fields that are not known are kept.
 * @throws HistoryError with the first rule that it breaks
 */
export function parseLine(text: string, line: number, rule?: LineRule): Operation {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new HistoryError(line, `not JSON: ${error instanceof Error ? error.message : ''}`);
  }
  const parsed = lineSchema.safeParse(json);
  if (!parsed.success) throw new HistoryError(line, ruleOf(parsed.error, json));
  // Nothing is changed by checking, so what was read is what was checked.
  const operation = json as Operation;
  const fault = rule?.(operation);
  if (fault !== undefined) throw new HistoryError(line, fault);
  return operation.output === undefined ? { ...operation, output: null } : operation;
}

function ruleOf(error: z.ZodError, json: unknown): string {
  const issue = error.issues[0];
  const name = issue?.path[0];
  const isField = typeof name === 'string' && typeof json === 'object' && json !== null;
  const isMissing = isField && !Object.hasOwn(json, name);
  return `${issue?.message ?? 'not an operation'}${isMissing ? ', and is missing' : ''}`;
}

/** The line that says an operation, without its end. */
export function formatLine(operation: Operation): string {
  return JSON.stringify(operation);
}
