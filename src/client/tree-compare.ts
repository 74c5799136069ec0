/** The differences of two replicas' trees, found by asking both only where their hashes differ. */
import { byteStringToBytes, HoldfastError, unreachable } from '../base/index.ts';
import type {
  ByteString,
  NamedHash,
  TreeAnswer,
  TreeHash,
  TreePath,
  TreeQuery,
} from '../registry/index.ts';
import { textOf } from './edge.ts';
import type { Told } from './hash-tree.ts';
import type { KeyDifference, TreeDifference } from './hash-tree-types.ts';

/** One replica's tree, locked. */
export interface ComparedTree {
  /** For errors. */
  readonly node: string;
  readonly ask: (query: TreeQuery) => Promise<Told>;
}

type Pair<T> = readonly [local: T, remote: T];

/** The keys stand under a prefix and a sub-prefix. */
const KEY_DEPTH = 2;

/** In the order of the tree, which is not that of the keys. */
export async function* treeDifferences(
  local: ComparedTree,
  remote: ComparedTree,
): AsyncGenerator<TreeDifference, void> {
  const trees = [new TreeReader(local), new TreeReader(remote)] as const;
  const [one, two] = await both(trees, (tree) => tree.root());
  if (one.index !== two.index) {
    const names = `the trees of ${local.node} and ${remote.node}`;
    const text = `${names} do not stand for one log index: ${one.index} and ${two.index}`;
    throw new HoldfastError('not-built', text);
  }
  if (one.hash !== two.hash) yield* nodeDifferences(trees, []);
}

/** Every key under a prefix or sub-prefix of one tree. */
export async function* keysUnder(tree: ComparedTree, path: TreePath): AsyncGenerator<ByteString> {
  yield* keysOf(new TreeReader(tree), path);
}

async function* keysOf(tree: TreeReader, path: TreePath): AsyncGenerator<ByteString> {
  for (const bucket of await tree.buckets(path)) {
    if (path.length === KEY_DEPTH) {
      for (const { name } of await tree.keys(path, bucket)) yield name;
    } else {
      for (const { name } of await tree.children(path, bucket))
        yield* keysOf(tree, [...path, name]);
    }
  }
}

/** Of a node whose hashes differ. */
async function* nodeDifferences(
  trees: Pair<TreeReader>,
  path: TreePath,
): AsyncGenerator<TreeDifference, void> {
  for (const { name } of differing(await both(trees, (tree) => tree.bucketHashes(path)))) {
    const bucket = Number(name);
    if (path.length === KEY_DEPTH) yield* keyDifferences(trees, path, bucket);
    else yield* childDifferences(trees, path, bucket);
  }
}

async function* childDifferences(
  trees: Pair<TreeReader>,
  path: TreePath,
  bucket: number,
): AsyncGenerator<TreeDifference, void> {
  const children = await both(trees, (tree) => tree.children(path, bucket));
  for (const { name, side } of differing(children)) {
    const child = [...path, name];
    if (side === 'both') yield* nodeDifferences(trees, child);
    else {
      const missingAt = side === 'local' ? 'remote' : 'local';
      yield { type: 'missingPrefix', side: missingAt, ...named(child) };
    }
  }
}

async function* keyDifferences(
  trees: Pair<TreeReader>,
  path: TreePath,
  segment: number,
): AsyncGenerator<TreeDifference, void> {
  const keys = await both(trees, (tree) => tree.keys(path, segment));
  const diffs = differing(keys).map(({ name, side }): KeyDifference => {
    return { type: DIFFERENCE[side], key: textOf(name), keyBytes: byteStringToBytes(name) };
  });
  if (diffs.length > 0) yield { type: 'keyDiffs', ...named(path), diffs };
}

function named(path: TreePath): Pick<TreeDifference, 'path' | 'pathBytes'> {
  return { path: path.map(textOf), pathBytes: path.map(byteStringToBytes) };
}

function both<T>(
  trees: Pair<TreeReader>,
  read: (tree: TreeReader) => Promise<T>,
): Promise<Pair<T>> {
  const [local, remote] = trees;
  return Promise.all([read(local), read(remote)]);
}

/** Reads a tree that must stay ready, locked and where it stands. */
class TreeReader {
  readonly #tree: ComparedTree;
  #index: number | undefined = undefined;

  constructor(tree: ComparedTree) {
    this.#tree = tree;
  }

  async root(): Promise<{ readonly hash: TreeHash | undefined; readonly index: number }> {
    const { hashes } = await this.#answer({ type: 'treeHash', path: [] });
    return { hash: hashes[0]?.hash, index: this.#index ?? 0 };
  }

  bucketHashes(path: TreePath): Promise<NamedHash[]> {
    const asked = { type: 'treeBucket', path, level: 0, bucket: 0 } as const;
    return this.#pages((after) => ({ ...asked, after }));
  }

  async buckets(path: TreePath): Promise<number[]> {
    return (await this.bucketHashes(path)).map(({ name }) => Number(name));
  }

  children(path: TreePath, bucket: number): Promise<NamedHash[]> {
    const asked = { type: 'treeBucket', path, level: 1, bucket } as const;
    return this.#pages((after) => ({ ...asked, after }));
  }

  keys(path: TreePath, segment: number): Promise<NamedHash[]> {
    const asked = { type: 'treeKeys', path, segment } as const;
    return this.#pages((after) => ({ ...asked, after }));
  }

  async #pages(query: (after: ByteString | undefined) => TreeQuery): Promise<NamedHash[]> {
    const all: NamedHash[] = [];
    for (;;) {
      const { hashes, more } = await this.#answer(query(all.at(-1)?.name));
      for (const one of hashes) all.push(one);
      if (!more || hashes.length === 0) return all;
    }
  }

  async #answer(query: TreeQuery): Promise<TreeAnswer> {
    const { node, ask } = this.#tree;
    const told = await ask(query);
    switch (told.type) {
      case 'not_built':
        throw new HoldfastError('not-built', `${node} has no hash tree: lock it, and wait for it`);
      case 'ongoing_update':
        throw new HoldfastError('not-built', `${node} is still hashing: ask again`);
      case 'not_locked':
        throw notLocked(node);
      case 'ok':
        break;
      default:
        return unreachable(told);
    }
    const { index, locked } = told.state;
    if (!locked) throw notLocked(node);
    this.#index ??= index;
    if (index === this.#index) return told.answer;
    const text = `the tree of ${node} moved on, from log index ${this.#index} to ${index}`;
    throw new HoldfastError('not-built', `${text}, while it was compared`);
  }
}

function notLocked(node: string): HoldfastError {
  const text = `the hash tree of ${node} is not locked, so it does not stand still`;
  return new HoldfastError('not-held', `${text}: lock it first`);
}

type Side = 'local' | 'remote' | 'both';
const DIFFERENCE = { local: 'remoteMissing', remote: 'missing', both: 'different' } as const;

interface Differing {
  readonly name: ByteString;
  /** Who has it. */
  readonly side: Side;
}

/** Names that only one side has, or both with different hashes; in the order of names. */
function differing([local, remote]: Pair<readonly NamedHash[]>): Differing[] {
  const found: Differing[] = [];
  const remoteHashes = new Map<ByteString, TreeHash>();
  for (const { name, hash } of remote) remoteHashes.set(name, hash);
  for (const { name, hash } of local) {
    const there = remoteHashes.get(name);
    remoteHashes.delete(name);
    if (there === undefined) found.push({ name, side: 'local' });
    else if (there !== hash) found.push({ name, side: 'both' });
  }
  for (const name of remoteHashes.keys()) found.push({ name, side: 'remote' });
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
