import {
  MalformedBytesError,
  unreachable,
  type ByteReader,
  type ByteWriter,
} from '../../base/index.ts';
import type {
  CompareOperator,
  KeyRange,
  KeyView,
  TxnBranchResult,
  TxnCommand,
  TxnCompare,
  TxnOp,
  TxnOpResult,
} from '../types.ts';
import { readCount } from './format.ts';
import { readRange, writeRange } from './range.ts';
import { readView, writeView } from './record.ts';

/** Deeper nesting is not read: a decoder must not run out of stack, whatever the bytes. */
export const MAX_TXN_DEPTH = 32;

/** In the log for ever: numbers are added, never changed. */
const OpTag = {
  put: 1,
  delete: 2,
  deleteRange: 3,
  get: 4,
  range: 5,
  txn: 6,
  increment: 7,
} as const satisfies Record<TxnOp['type'], number>;

/** In the log for ever: a number is its place here, add at the end only. */
const TARGETS: readonly TxnCompare['target'][] = [
  'version',
  'createRevision',
  'modRevision',
  'session',
  'value',
];
const OPERATORS: readonly CompareOperator[] = ['equal', 'notEqual', 'less', 'greater'];

/** On the wire and in snapshots: numbers are added, never changed. */
const ResultTag = {
  put: 1,
  delete: 2,
  deleteRange: 3,
  get: 4,
  range: 5,
  txn: 6,
  count: 7,
} as const satisfies Record<TxnOpResult['type'], number>;

export function writeTxn(writer: ByteWriter, txn: TxnCommand): void {
  writer.varint(txn.compares.length);
  for (const compare of txn.compares) writeCompare(writer, compare);
  for (const branch of [txn.success, txn.failure]) {
    writer.varint(branch.length);
    for (const op of branch) writeOp(writer, op);
  }
}

function writeCompare(writer: ByteWriter, compare: TxnCompare): void {
  writer.u8(TARGETS.indexOf(compare.target)).u8(OPERATORS.indexOf(compare.operator));
  writeKeyRange(writer, compare);
  if (compare.target === 'value') writer.bytes(compare.operand);
  else writer.varint(compare.operand);
}

function writeKeyRange(writer: ByteWriter, { start, end }: KeyRange): void {
  writer.byteString(start).boolean(end !== undefined);
  if (end !== undefined) writer.byteString(end);
}

function writeOp(writer: ByteWriter, op: TxnOp): void {
  writer.u8(OpTag[op.type]);
  switch (op.type) {
    case 'put':
      writer.byteString(op.key).bytes(op.value).f64(op.ttlMs).boolean(op.ephemeral);
      return;
    case 'increment':
      writer.byteString(op.key).f64(op.by);
      return;
    case 'delete':
    case 'get':
      writer.byteString(op.key);
      return;
    case 'deleteRange':
      writeKeyRange(writer, op);
      return;
    case 'range':
      writeRange(writer, op);
      return;
    case 'txn':
      writeTxn(writer, op);
      return;
    default:
      unreachable(op);
  }
}

/** What stands after the command's number. Values are views. */
export function readTxn(reader: ByteReader, depth = 1): TxnCommand {
  if (depth > MAX_TXN_DEPTH) {
    throw new MalformedBytesError(`transactions nested deeper than ${MAX_TXN_DEPTH}`);
  }
  const compares: TxnCompare[] = [];
  for (let left = readCount(reader, 5); left > 0; left--) compares.push(readCompare(reader));
  const success = readOps(reader, depth);
  return { type: 'txn', compares, success, failure: readOps(reader, depth) };
}

function readCompare(reader: ByteReader): TxnCompare {
  const target = TARGETS[reader.u8()];
  const operator = OPERATORS[reader.u8()];
  if (target === undefined || operator === undefined) {
    throw new MalformedBytesError('no such compare');
  }
  const { start, end } = readKeyRange(reader);
  if (target === 'value') return { target, operator, start, end, operand: reader.bytes() };
  return { target, operator, start, end, operand: reader.varint() };
}

function readKeyRange(reader: ByteReader): KeyRange {
  const start = reader.byteString();
  return { start, end: reader.boolean() ? reader.byteString() : undefined };
}

function readOps(reader: ByteReader, depth: number): TxnOp[] {
  const ops: TxnOp[] = [];
  for (let left = readCount(reader, 2); left > 0; left--) ops.push(readOp(reader, depth));
  return ops;
}

function readOp(reader: ByteReader, depth: number): TxnOp {
  const tag = reader.u8();
  switch (tag) {
    case OpTag.put: {
      const key = reader.byteString();
      const value = reader.bytes();
      const ttlMs = reader.f64();
      return { type: 'put', key, value, ttlMs, ephemeral: reader.boolean() };
    }
    case OpTag.increment: {
      const key = reader.byteString();
      return { type: 'increment', key, by: reader.f64() };
    }
    case OpTag.delete:
      return { type: 'delete', key: reader.byteString() };
    case OpTag.get:
      return { type: 'get', key: reader.byteString() };
    case OpTag.deleteRange:
      return { type: 'deleteRange', ...readKeyRange(reader) };
    case OpTag.range:
      return readRange(reader);
    case OpTag.txn:
      return readTxn(reader, depth + 1);
    default:
      throw new MalformedBytesError(`no operation has the number ${tag}`);
  }
}

export function writeBranchResult(writer: ByteWriter, branch: TxnBranchResult): void {
  writer.boolean(branch.succeeded).varint(branch.results.length);
  for (const result of branch.results) writeOpResult(writer, result);
}

function writeOpResult(writer: ByteWriter, result: TxnOpResult): void {
  writer.u8(ResultTag[result.type]);
  switch (result.type) {
    case 'put':
    case 'delete':
    case 'get':
      writeView(writer, result.view);
      return;
    case 'deleteRange':
      writer.varint(result.deleted);
      return;
    case 'range':
      writer.boolean(result.more).varint(result.views.length);
      for (const view of result.views) writeView(writer, view);
      return;
    case 'count':
      writer.varint(result.count);
      return;
    case 'txn':
      writeBranchResult(writer, result);
      return;
    default:
      unreachable(result);
  }
}

export function readBranchResult(reader: ByteReader, depth = 1): TxnBranchResult {
  if (depth > MAX_TXN_DEPTH) {
    throw new MalformedBytesError(`results nested deeper than ${MAX_TXN_DEPTH}`);
  }
  const succeeded = reader.boolean();
  const results: TxnOpResult[] = [];
  for (let left = readCount(reader, 2); left > 0; left--) {
    results.push(readOpResult(reader, depth));
  }
  return { succeeded, results };
}

function readOpResult(reader: ByteReader, depth: number): TxnOpResult {
  const tag = reader.u8();
  switch (tag) {
    case ResultTag.put:
      return { type: 'put', view: readView(reader) };
    case ResultTag.delete:
      return { type: 'delete', view: readView(reader) };
    case ResultTag.get:
      return { type: 'get', view: readView(reader) };
    case ResultTag.deleteRange:
      return { type: 'deleteRange', deleted: reader.varint() };
    case ResultTag.range: {
      const more = reader.boolean();
      const views: KeyView[] = [];
      for (let left = readCount(reader, 1); left > 0; left--) views.push(readView(reader));
      return { type: 'range', views, more };
    }
    case ResultTag.count:
      return { type: 'count', count: reader.varint() };
    case ResultTag.txn:
      return { type: 'txn', ...readBranchResult(reader, depth + 1) };
    default:
      throw new MalformedBytesError(`no operation's result has the number ${tag}`);
  }
}
