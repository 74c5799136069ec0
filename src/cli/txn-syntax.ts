/** The small language of `holdfast txn`. */
import {
  compare,
  op,
  type Comparison,
  type Operation,
  type RegistryRecord,
} from '../client/index.ts';
import { usageError } from './exit.ts';

/** What an operation may result in. */
export type OpOutcome =
  RegistryRecord | number | undefined | { readonly records: readonly RegistryRecord[] };

/** An operation, and the words it was asked for with. */
export interface TypedOp {
  readonly words: readonly string[];
  readonly operation: Operation<OpOutcome>;
}

export interface TxnScript {
  readonly comparisons: readonly Comparison[];
  readonly success: readonly TypedOp[];
  readonly failure: readonly TypedOp[];
}

const WORD = /"(?:[^"\\]|\\.)*"|[^\s"]+/g;

/** @throws ExitError a usage error that names the statement */
export function parseTxn(statements: readonly string[]): TxnScript {
  const comparisons: Comparison[] = [];
  const success: TypedOp[] = [];
  const failure: TypedOp[] = [];
  for (const statement of statements) {
    const [lead, ...words] = wordsOf(statement);
    if (lead === undefined) continue;
    if (lead === 'if') comparisons.push(comparisonOf(words, statement));
    else if (lead === 'then') success.push(operationOf(words, statement));
    else if (lead === 'else') failure.push(operationOf(words, statement));
    else throw badStatement(statement, 'it begins with if, then or else');
  }
  if (comparisons.length + success.length + failure.length === 0) {
    throw usageError('txn: no statements, neither as arguments nor on stdin; see txn --help');
  }
  return { comparisons, success, failure };
}

function badStatement(statement: string, rule: string): Error {
  return usageError(`txn: '${statement.trim()}': ${rule}; see txn --help`);
}

/** Lines that begin with # say nothing. */
function wordsOf(statement: string): string[] {
  if (statement.trim().startsWith('#')) return [];
  const left = statement.replaceAll(WORD, '').trim();
  if (left !== '') throw badStatement(statement, 'a quote is open');
  return [...statement.matchAll(WORD)].map(([word]) => {
    if (!word.startsWith('"')) return word;
    try {
      return String(JSON.parse(word));
    } catch {
      throw badStatement(statement, `${word} is no JSON text`);
    }
  });
}

const NUMBERS = {
  version: compare.version,
  create: compare.createRevision,
  mod: compare.modRevision,
  session: compare.session,
} as const;
const OPERATORS = {
  '=': 'equals',
  '!=': 'notEquals',
  '<': 'lessThan',
  '>': 'greaterThan',
} as const;

function comparisonOf(words: readonly string[], statement: string): Comparison {
  const [target = '', key = '', operator = '', operand] = words;
  if ((target === 'exists' || target === 'absent') && words.length === 2) {
    return compare[target](key);
  }
  if (operand === undefined || words.length !== 4 || !hasName(OPERATORS, operator)) {
    throw badStatement(statement, 'if TARGET KEY =|!=|<|> OPERAND, or if exists|absent KEY');
  }
  const how = OPERATORS[operator];
  if (target === 'value') return compare.value(key)[how](operand);
  if (!hasName(NUMBERS, target)) {
    throw badStatement(statement, 'compares version, create, mod, session or value');
  }
  return NUMBERS[target](key)[how](wholeNumber(operand, statement));
}

function hasName<Names extends object>(names: Names, name: string): name is keyof Names & string {
  return Object.hasOwn(names, name);
}

function wholeNumber(text: string, statement: string): number {
  if (/^-?\d+$/.test(text)) return Number(text);
  throw badStatement(statement, `'${text}' is no whole number`);
}

const MAKERS: Record<
  string,
  {
    readonly least: number;
    readonly most: number;
    readonly make: (args: readonly string[], statement: string) => Operation<OpOutcome>;
  }
> = {
  put: {
    least: 2,
    most: 3,
    make: ([key = '', value = '', ttl]) => op.put(key, value, ttl === undefined ? {} : { ttl }),
  },
  increment: {
    least: 1,
    most: 2,
    make: ([key = '', by = '1'], statement) => op.increment(key, wholeNumber(by, statement)),
  },
  delete: { least: 1, most: 1, make: ([key = '']) => op.delete(key) },
  'delete-prefix': { least: 1, most: 1, make: ([prefix = '']) => op.deletePrefix(prefix) },
  get: { least: 1, most: 1, make: ([key = '']) => op.get(key) },
  list: { least: 0, most: 1, make: ([prefix = '']) => op.list({ prefix }) },
  count: { least: 0, most: 1, make: ([prefix = '']) => op.count({ prefix }) },
};

function operationOf(words: readonly string[], statement: string): TypedOp {
  const [name = '', ...args] = words;
  const maker = hasName(MAKERS, name) ? MAKERS[name] : undefined;
  if (maker === undefined) {
    throw badStatement(statement, `operations are ${Object.keys(MAKERS).join(', ')}`);
  }
  if (args.length < maker.least || args.length > maker.most) {
    throw badStatement(statement, `${name} takes another number of words`);
  }
  return { words, operation: maker.make(args, statement) };
}
