import { unreachable } from '../base/index.ts';
import type { HashTree } from './hash-tree.ts';
import { refuse } from './refusal.ts';
import type { RegistryState } from './state.ts';
import { toTreeHash } from './tree-hash.ts';
import type { TreeSum } from './tree-node.ts';
import { TREE_BUCKETS, type NamedHash, type TreeQuery, type TreeState } from './tree-types.ts';
import type { ByteString, RegistryAnswer } from './types.ts';

/** An answer ends before the name that would take it over this; it has one at least. */
const MAX_ANSWER_BYTES = 512 * 1024;
/** What a hash takes beside its name. */
const HASH_BYTES = 16;
/** A path with a prefix and a sub-prefix: what is under it are keys. */
const WHOLE_PATH = 2;

type Children = TreeState | readonly NamedHash[];
const NONE: readonly NamedHash[] = [];

/** Answers from this replica's own tree. */
export function answerTree({ store, tree }: RegistryState, query: TreeQuery): RegistryAnswer {
  const rule = faultOf(query);
  if (rule !== undefined) return refuse('invalid-argument', rule);
  const { revision } = store;
  if (query.type === 'resetTree') tree.reset();
  const { state } = tree;
  const found = state.type === 'ready' ? hashesOf(tree, query, state.locked) : state;
  if ('type' in found) return { type: 'tree', revision, state: found, hashes: NONE, more: false };
  return { type: 'tree', revision, state, ...cut(found, afterOf(query)) };
}

/** The rule that a query breaks. */
function faultOf(query: TreeQuery): string | undefined {
  switch (query.type) {
    case 'treeHash':
    case 'resetTree':
      return undefined;
    case 'treeBucket': {
      const { path, level, bucket } = query;
      if (level === 0) return bucket === 0 ? undefined : `level 0 has bucket 0 only, not ${bucket}`;
      if (level > 1) return `a node of a hash tree has levels 0 and 1, not ${level}`;
      if (path.length >= WHOLE_PATH) return 'what is under a sub-prefix are keys: ask for its keys';
      return faultOfBucket(bucket);
    }
    case 'treeKeys':
      if (query.path.length < WHOLE_PATH) return 'keys stand under a prefix and a sub-prefix';
      return faultOfBucket(query.segment);
    default:
      return unreachable(query);
  }
}

function faultOfBucket(bucket: number): string | undefined {
  if (bucket < TREE_BUCKETS) return undefined;
  return `buckets and segments count from 0 to ${TREE_BUCKETS - 1}, not ${bucket}`;
}

/** What a ready tree tells, or why it cannot. */
function hashesOf(tree: HashTree, query: TreeQuery, locked: boolean): Children {
  if (query.type === 'resetTree') return NONE;
  const node = tree.find(query.path);
  if (query.type === 'treeHash') {
    return node === undefined ? NONE : [named(node)];
  }
  if (!locked) return { type: 'not_locked' };
  if (node === undefined) return NONE;
  const { path } = query;
  if (path.length < WHOLE_PATH) {
    const { level, bucket } = query as Extract<TreeQuery, { type: 'treeBucket' }>;
    return (level === 0 ? node.buckets() : node.inBucket(bucket)).map(named);
  }
  const listing = tree.listing(path[0]!, path[1]!);
  if (listing === undefined) return { type: 'ongoing_update' };
  if (query.type === 'treeBucket') return listing.sums().map(named);
  return listing.keys(query.segment).map(({ key, hashLow, hashHigh }) => ({
    name: key,
    hash: toTreeHash(hashLow, hashHigh),
  }));
}

function named({ name, low, high }: TreeSum): NamedHash {
  return { name, hash: toTreeHash(low, high) };
}

/** Level 0 is short and always told as a whole. */
function afterOf(query: TreeQuery): ByteString | undefined {
  if (query.type === 'treeBucket') return query.level === 0 ? undefined : query.after;
  return query.type === 'treeKeys' ? query.after : undefined;
}

/** Those after `after` that fit into an answer. */
function cut(
  all: readonly NamedHash[],
  after: ByteString | undefined,
): { readonly hashes: readonly NamedHash[]; readonly more: boolean } {
  const rest = after === undefined ? all : all.filter(({ name }) => name > after);
  let bytes = 0;
  const fitting = rest.findIndex(
    ({ name }) => (bytes += HASH_BYTES + name.length) > MAX_ANSWER_BYTES,
  );
  if (fitting < 0) return { hashes: rest, more: false };
  return { hashes: rest.slice(0, Math.max(fitting, 1)), more: Math.max(fitting, 1) < rest.length };
}
