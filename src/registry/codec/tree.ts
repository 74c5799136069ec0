import {
  MalformedBytesError,
  unreachable,
  type ByteReader,
  type ByteWriter,
} from '../../base/index.ts';
import type {
  NamedHash,
  TreeAnswer,
  TreeCommand,
  TreePath,
  TreeQuery,
  TreeResult,
  TreeState,
} from '../tree-types.ts';
import type { Revision, SessionId } from '../types.ts';
import { readCount } from './format.ts';

/** On the wire and in the log for ever: numbers are added, never changed. */
export const TreeTag: { readonly [Type in TreeCommand['type']]: number } = {
  lockTree: 26,
  updateTree: 27,
  releaseTree: 28,
};

/** On the wire and in snapshots: numbers are added, never changed. */
export const TreeResultTag: { readonly [Type in TreeResult['type']]: number } = {
  treeLocked: 10,
  treeRefused: 11,
};

/** Between client and server: numbers are added, never changed. */
export const TreeQueryTag: { readonly [Type in TreeQuery['type']]: number } = {
  treeHash: 26,
  treeBucket: 27,
  treeKeys: 28,
  resetTree: 29,
};

/** Between server and client: numbers are added, never changed. */
export const TreeAnswerTag: { readonly [Type in TreeAnswer['type']]: number } = { tree: 26 };

/** Numbers are places: add at the end only. */
const REFUSALS = ['locked', 'not_locked', 'not_allowed'] as const;
const STATES = ['ready', 'not_built', 'ongoing_update', 'not_locked'] as const;

const MAX_PATH = 2;
const HASH_DIGITS = 16;
const HASH_BYTES = 8;

/** The command with this number, if it is a tree command's; it has no fields. */
export function treeCommandOf(tag: number): TreeCommand | undefined {
  switch (tag) {
    case TreeTag.lockTree:
      return { type: 'lockTree' };
    case TreeTag.updateTree:
      return { type: 'updateTree' };
    case TreeTag.releaseTree:
      return { type: 'releaseTree' };
    default:
      return undefined;
  }
}

/** What stands after the result's number. */
export function writeTreeResult(writer: ByteWriter, result: TreeResult): void {
  writer.varint(result.revision);
  if (result.type === 'treeLocked') writer.varint(result.index);
  else writer.u8(REFUSALS.indexOf(result.why)).varint(result.holder);
}

/** What stands after the result's number and revision, if the number is a tree result's. */
export function readTreeResult(
  reader: ByteReader,
  tag: number,
  revision: Revision,
): TreeResult | undefined {
  switch (tag) {
    case TreeResultTag.treeLocked:
      return { type: 'treeLocked', revision, index: reader.varint() };
    case TreeResultTag.treeRefused: {
      const why = oneOf(REFUSALS, reader.u8(), 'refusal');
      return { type: 'treeRefused', revision, why, holder: reader.varint() as SessionId };
    }
    default:
      return undefined;
  }
}

/** What stands after the query's number. */
export function writeTreeQuery(writer: ByteWriter, query: TreeQuery): void {
  switch (query.type) {
    case 'treeHash':
      writePath(writer, query.path);
      return;
    case 'treeBucket':
      writePath(writer, query.path);
      writer.varint(query.level).varint(query.bucket);
      writeAfter(writer, query.after);
      return;
    case 'treeKeys':
      writePath(writer, query.path);
      writer.varint(query.segment);
      writeAfter(writer, query.after);
      return;
    case 'resetTree':
      return;
    default:
      unreachable(query);
  }
}

/** What stands after the query's number, if that is a tree query's. */
export function readTreeQuery(reader: ByteReader, tag: number): TreeQuery | undefined {
  switch (tag) {
    case TreeQueryTag.treeHash:
      return { type: 'treeHash', path: readPath(reader) };
    case TreeQueryTag.treeBucket: {
      const path = readPath(reader);
      const level = reader.varint();
      const bucket = reader.varint();
      return { type: 'treeBucket', path, level, bucket, after: readAfter(reader) };
    }
    case TreeQueryTag.treeKeys: {
      const path = readPath(reader);
      const segment = reader.varint();
      return { type: 'treeKeys', path, segment, after: readAfter(reader) };
    }
    case TreeQueryTag.resetTree:
      return { type: 'resetTree' };
    default:
      return undefined;
  }
}

/** What stands after the answer's number. */
export function writeTreeAnswer(writer: ByteWriter, answer: TreeAnswer): void {
  const { revision, state, hashes, more } = answer;
  writer.varint(revision).u8(STATES.indexOf(state.type));
  if (state.type === 'ready') {
    writer.varint(state.index).varint(state.revision).varint(state.keys).boolean(state.locked);
  }
  writer.boolean(more).varint(hashes.length);
  for (const { name, hash } of hashes) writeHash(writer.byteString(name), hash);
}

/** What stands after the answer's number and revision. */
export function readTreeAnswer(reader: ByteReader, revision: Revision): TreeAnswer {
  const state = readState(reader);
  const more = reader.boolean();
  const hashes: NamedHash[] = [];
  for (let left = readCount(reader, 1 + HASH_BYTES); left > 0; left--) {
    const name = reader.byteString();
    hashes.push({ name, hash: readHash(reader) });
  }
  return { type: 'tree', revision, state, hashes, more };
}

function readState(reader: ByteReader): TreeState {
  const type = oneOf(STATES, reader.u8(), 'state');
  if (type !== 'ready') return { type };
  const index = reader.varint();
  const revision = reader.varint() as Revision;
  const keys = reader.varint();
  return { type, index, revision, keys, locked: reader.boolean() };
}

function writePath(writer: ByteWriter, path: TreePath): void {
  writer.u8(path.length);
  for (const name of path) writer.byteString(name);
}

function readPath(reader: ByteReader): TreePath {
  const length = reader.u8();
  if (length > MAX_PATH) throw new MalformedBytesError(`a tree path of ${length} names`);
  return Array.from({ length }, () => reader.byteString());
}

function writeAfter(writer: ByteWriter, after: string | undefined): void {
  writer.boolean(after !== undefined);
  if (after !== undefined) writer.byteString(after);
}

function readAfter(reader: ByteReader): string | undefined {
  return reader.boolean() ? reader.byteString() : undefined;
}

function writeHash(writer: ByteWriter, hash: string): void {
  writer.u32(Number.parseInt(hash.slice(0, HASH_BYTES), HASH_DIGITS));
  writer.u32(Number.parseInt(hash.slice(HASH_BYTES), HASH_DIGITS));
}

function readHash(reader: ByteReader): string {
  const high = hex(reader.u32());
  return high + hex(reader.u32());
}

function hex(word: number): string {
  return word.toString(HASH_DIGITS).padStart(HASH_DIGITS / 2, '0');
}

function oneOf<T>(values: readonly T[], number: number, what: string): T {
  const value = values[number];
  if (value === undefined)
    throw new MalformedBytesError(`no tree ${what} has the number ${number}`);
  return value;
}
