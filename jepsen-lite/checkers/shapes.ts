/**
 * What `value` and `output` of each operation look like, by model: checked of a file before it is
 * judged, since a checker that met something else would pass over it, and seem to have judged it.
 * What a model does not look at has no shape; more fields than those named are kept.
 */
import { z } from 'zod';
import type { Operation } from '../history/operation.ts';
import { fieldOf } from './values.ts';

/** Each message goes on behind the field's name. */
interface Shape {
  /** Of every outcome. */
  readonly value?: z.ZodType;
  /** Of an `ok`, whose operation is of no use to the checker without. */
  readonly output?: z.ZodType;
  readonly key?: z.ZodType;
  readonly revision?: z.ZodType;
}
type Shapes = Readonly<Record<string, Shape>>;

const OBJECT = 'is an object';
const given = z.unknown().refine((value) => value !== undefined, 'is any value');
const number = z.number('is a number');
const whole = z.int('is a whole number').min(0, 'is not below 0');
const count = z.int('is a whole number').min(1, 'is at least 1');
const text = z.string('is text');
const name = z.union([z.string(), z.number()], 'is a name or a number');
const flag = z.boolean('is true or false');
const key = z.string('is text');
const revision = z.int('is a whole number');
/** Told only by some. */
const answer = z.union([z.boolean(), z.null()], 'is true, false or null').optional();
const elements = z.array(z.unknown(), 'is a list of all elements').nullable();

function fields(shape: z.ZodRawShape, what: string = OBJECT): z.ZodType {
  return z.looseObject(shape, what);
}

function maybe(shape: z.ZodRawShape): z.ZodType {
  return fields(shape).nullish();
}

const write: Shape = { value: given };
const swap: Shape = {
  value: z.tuple([z.unknown(), z.unknown()], 'is a pair: [from, to]'),
  output: answer,
};
const increment: Shape = {
  value: z.number('is the number it goes up by').nullish(),
  output: z.number('is the sum, a number').nullish(),
};
const registers: Shapes = { put: write, write, cas: swap, increment };

const balances = z.record(z.string(), number, 'is an object: { name: balance }');
const bank: Shapes = {
  accounts: { value: balances },
  transfer: {
    value: fields(
      { from: text, to: text, amount: z.number('is a number').min(0, 'is not below 0') },
      'is an object: { from, to, amount }',
    ),
    output: answer,
  },
  read: { output: balances },
};

const holder = maybe({ session: name.optional() });
const token = z.union(
  [z.number(), z.boolean(), z.null(), z.looseObject({ token: z.number() })],
  'is the token, a number; without tokens true, false or null',
);
const grant: Shape = {
  value: maybe({
    session: name.optional(),
    mode: z
      .enum(['exclusive', 'shared', 'semaphore'], 'is exclusive, shared or semaphore')
      .optional(),
    permits: count.optional(),
    limit: count.optional(),
  }),
  output: token.optional(),
};
const held: Shape = { value: holder };
const abandoned: Shape = { value: fields({ session: name, ttlMs: number }) };
const holds: Shapes = {
  lock: grant,
  acquire: grant,
  unlock: held,
  release: held,
  holding: held,
  lost: held,
};
const locks: Shapes = {
  ...holds,
  'close-session': held,
  abandoned,
  queue: {
    output: z.array(
      fields({ session: name, token: number, held: flag }, 'is { session, token, held }'),
      'is a list of places',
    ),
  },
};

const accepted = z.union(
  [z.boolean(), z.looseObject({ accepted: z.boolean() })],
  'is true or false: whether the resource took it',
);
const fenced: Shape = { value: fields({ token: number }), output: accepted };
const fence: Shapes = { 'guarded-read': fenced, 'guarded-write': fenced };
const counter: Shapes = {
  'guarded-write': { value: fields({ from: number, to: number }), output: accepted },
};

const election: Shapes = {
  campaign: { value: maybe({ session: name.optional() }), output: token.optional() },
  proclaim: { value: fields({ value: given }, 'is an object: { value }') },
  resign: held,
  holding: held,
  lost: held,
  'close-session': held,
  leader: { output: fields({ token: number }, 'is { token, value }, or null').nullable() },
  observed: {
    value: fields({ observer: name }),
    output: fields(
      { type: text, token: number.optional() },
      'is an object: { type, token, value }',
    ),
  },
};

const TYPES = 'is put or delete';
const watched = fields({ watch: name });
const watch: Shapes = {
  ...registers,
  txn: {
    value: maybe({ put: z.record(z.string(), given, 'is an object: { key: value }').optional() }),
  },
  watch: {
    value: fields({
      watch: name,
      from: whole.optional(),
      prefix: text.optional(),
      key: text.optional(),
      events: z.enum(['put', 'delete'], TYPES).optional(),
    }),
  },
  'watch-started': { value: watched, revision },
  event: {
    value: watched,
    key,
    revision,
    output: fields({
      type: z.enum(['put', 'delete'], TYPES),
      previous: fields({ revision: whole }, 'is { value, revision }, or null').nullish(),
      last: flag.optional(),
    }),
  },
  progress: { value: watched, revision },
  'watch-ended': {
    value: watched,
    output: fields({ code: text, resumeFrom: whole.optional() }).nullish(),
  },
};

const EDGES = ['link', 'forward_link', 'backward_link', 'monitor'] as const;
const edge = z.enum(EDGES, `is one of ${EDGES.join(', ')}`);
const ofSession: Shape = { value: fields({ session: number }) };
const numbered: Shape = { value: fields({ connection: number }) };
const sessions: Shapes = {
  'open-session': {
    value: fields({ ttlMs: number, trapExits: flag.optional() }),
    output: z.number('is the id, a number'),
  },
  'keep-alive': ofSession,
  'close-session': ofSession,
  exit: ofSession,
  'session-gone': ofSession,
  abandoned,
  sessions: {
    output: z.array(
      z.union([z.number(), z.looseObject({ id: z.number() })], 'is an id'),
      'is a list of ids',
    ),
  },
  ephemeral: { output: fields({ session: number }, 'is { session }, or null').nullable() },
  store: {
    value: fields({ table: text, type: edge.optional(), peer: number.optional() }),
    output: fields({ stored: flag, connection: number.optional() }),
  },
  connect: {
    value: fields({ table: text, type: edge, peer: number }),
    output: z.number('is the connection, a number'),
  },
  disconnect: numbered,
  notice: numbered,
  entries: { value: fields({ table: text }), output: z.array(text, 'is a list of keys') },
  drained: { value: fields({ sessions: z.array(number, 'is a list of ids') }) },
};

const ofReplica: Shape = { value: fields({ replica: name }), revision };
const map: Shapes = {
  ...registers,
  txn: watch['txn']!,
  event: watch['event']!,
  view: {
    ...ofReplica,
    output: z.record(
      z.string(),
      fields({ revision: whole }, 'is { value, revision }'),
      'is an object: { key: { value, revision } }',
    ),
  },
  wrote: { ...ofReplica, key },
};

const ANY: Shapes = {};
const SHAPES: Readonly<Record<string, Shapes>> = {
  register: { ...registers, get: { output: given }, read: { output: given } },
  set: { add: { value: given, output: answer }, read: { output: elements } },
  append: { append: write, read: { output: elements } },
  bank,
  lock: locks,
  'read-write-lock': locks,
  semaphore: locks,
  mutex: holds,
  fence,
  'guarded-counter': counter,
  election,
  watch,
  sessions,
  map,
  revisions: ANY,
  'exactly-once': { ...registers, event: watch['event']! },
};

/** Of a value that is refused, so much is shown. */
const MOST_SHOWN = 60;

/** The first rule that an operation of this model breaks; undefined when it keeps them all. */
export function shapeFault(model: string, operation: Operation): string | undefined {
  const { f, type } = operation;
  const shapes = SHAPES[model] ?? ANY;
  const shape = Object.hasOwn(shapes, f) ? shapes[f]! : {};
  for (const field of ['key', 'value', 'output', 'revision'] as const) {
    const schema = field === 'output' && type !== 'ok' ? undefined : shape[field];
    const issue = schema?.safeParse(operation[field]).error?.issues[0];
    if (issue === undefined) continue;
    const path = [field, ...issue.path];
    const found = path.reduce<unknown>((at, step) => fieldOf(at, String(step)), operation);
    const instead = found === undefined ? ', and is missing' : `, not ${short(found)}`;
    return `${f}: ${path.join('.')} ${issue.message}${instead} (model ${model})`;
  }
  return undefined;
}

function short(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length <= MOST_SHOWN ? json : `${json.slice(0, MOST_SHOWN)} ...`;
}
