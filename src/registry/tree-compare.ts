import { unreachable } from '../base/index.ts';
import type { NamedHash, TreeAnswer, TreePath, TreeQuery, TreeState } from './tree-types.ts';
import type { ByteString } from './types.ts';

/** One of the two replicas compared. */
export type TreeSide = 'local' | 'remote';

export interface KeyDifference {
  readonly key: ByteString;
  /** `missing`: the local replica does not have the key. `remoteMissing`: the remote one. */
  readonly how: 'missing' | 'remoteMissing' | 'different';
}

export type TreeDifference =
  /**
   * `side` has nothing at all under this prefix or sub-prefix. The keys that the other side has
   * there follow as `keyDiffs`.
   */
  | { readonly type: 'missingPrefix'; readonly side: TreeSide; readonly path: TreePath }
  /** Of keys under one prefix and sub-prefix, in key order; there is one at least. */
  | {
      readonly type: 'keyDiffs';
      readonly path: TreePath;
      readonly keys: readonly KeyDifference[];
    };

/** Trees that do not stand for the same, or cannot tell: says nothing about whether they differ. */
export class TreeNotComparable extends Error {
  /** `unequal_index`: they stand for different points of the log. */
  readonly reason: Exclude<TreeState['type'], 'ready'> | 'unequal_index';
  /** Whose tree it is; undefined when it takes both. */
  readonly side: TreeSide | undefined;

  constructor(reason: TreeNotComparable['reason'], side: TreeSide | undefined, message: string) {
    super(message);
    this.name = 'TreeNotComparable';
    this.reason = reason;
    this.side = side;
  }
}

/** What both replicas answered to the query. */
export interface AnswerPair {
  readonly local: TreeAnswer;
  readonly remote: TreeAnswer;
}

export type DifferenceHandler<Folded> = (difference: TreeDifference, folded: Folded) => Folded;

/** What both sides have by one name; undefined: nothing. */
interface Pair {
  readonly name: ByteString;
  readonly local: string | undefined;
  readonly remote: string | undefined;
}

type Asking<Result> = Generator<TreeQuery, Result, AnswerPair>;

/**
 * Folds `handler` over the differences between two replicas' trees, in a fixed order. Where nothing
 * differs nothing is asked: equal trees take one question.
 *
 * A generator, so that it needs neither promises nor a network: whoever drives it puts each query
 * to both replicas, again while one answers `ongoing_update`, and passes the answers in. It may be
 * left at any time, when enough is known. Throws `TreeNotComparable` when a tree is not ready, not
 * locked, or stands for another index than the other.
 *
 * ```ts
 * const comparing = compareTrees(handler, 0);
 * let step = comparing.next();
 * while (step.done !== true) {
 *   const query = step.value;
 *   const [local, remote] = await Promise.all([askLocal(query), askRemote(query)]);
 *   step = comparing.next({ local, remote });
 * }
 * return step.value;
 * ```
 */
export function* compareTrees<Folded>(
  handler: DifferenceHandler<Folded>,
  initial: Folded,
): Asking<Folded> {
  const root = yield* askBoth({ type: 'treeHash', path: [] });
  if (root.local.hashes[0]?.hash === root.remote.hashes[0]?.hash) return initial;
  return yield* compareNode([], undefined, handler, initial);
}

/** `without`: the side that has nothing here, which has been told already. */
function* compareNode<Folded>(
  path: TreePath,
  without: TreeSide | undefined,
  handler: DifferenceHandler<Folded>,
  initial: Folded,
): Asking<Folded> {
  let folded = initial;
  const level0 = { type: 'treeBucket', path, level: 0, bucket: 0, after: undefined } as const;
  for (const { name } of differing(yield* askBoth(level0))) {
    const bucket = Number(name);
    if (path.length === 2) folded = yield* compareKeys(path, bucket, handler, folded);
    else folded = yield* compareChildren(path, bucket, without, handler, folded);
  }
  return folded;
}

function* compareChildren<Folded>(
  path: TreePath,
  bucket: number,
  without: TreeSide | undefined,
  handler: DifferenceHandler<Folded>,
  initial: Folded,
): Asking<Folded> {
  let folded = initial;
  let after: ByteString | undefined;
  do {
    const query = { type: 'treeBucket', path, level: 1, bucket, after } as const;
    const answers = yield* askBoth(query);
    after = lastOfBoth(answers);
    for (const { name, local, remote } of differing(answers, after)) {
      const childPath = [...path, name];
      const side = sideWithout(local, remote);
      if (side !== undefined && without === undefined) {
        folded = handler({ type: 'missingPrefix', side, path: childPath }, folded);
      }
      folded = yield* compareNode(childPath, side, handler, folded);
    }
  } while (after !== undefined);
  return folded;
}

function* compareKeys<Folded>(
  path: TreePath,
  segment: number,
  handler: DifferenceHandler<Folded>,
  initial: Folded,
): Asking<Folded> {
  let folded = initial;
  let after: ByteString | undefined;
  do {
    const answers = yield* askBoth({ type: 'treeKeys', path, segment, after });
    after = lastOfBoth(answers);
    const keys = differing(answers, after).map(({ name, local, remote }): KeyDifference => {
      const side = sideWithout(local, remote);
      if (side === undefined) return { key: name, how: 'different' };
      return { key: name, how: side === 'local' ? 'missing' : 'remoteMissing' };
    });
    if (keys.length > 0) folded = handler({ type: 'keyDiffs', path, keys }, folded);
  } while (after !== undefined);
  return folded;
}

function* askBoth(query: TreeQuery): Asking<AnswerPair> {
  const answers = yield query;
  const local = pointOf(answers.local.state, 'local');
  const remote = pointOf(answers.remote.state, 'remote');
  if (local.index !== remote.index) {
    throw new TreeNotComparable(
      'unequal_index',
      undefined,
      `the local tree stands for index ${local.index}, the remote one for ${remote.index}: ` +
        'lock or update them first',
    );
  }
  return answers;
}

/** The point that a tree stands for, if it can be compared. */
function pointOf(state: TreeState, side: TreeSide): Extract<TreeState, { type: 'ready' }> {
  switch (state.type) {
    case 'ready':
      if (state.locked) return state;
      throw notComparable('not_locked', side);
    case 'not_built':
    case 'ongoing_update':
    case 'not_locked':
      throw notComparable(state.type, side);
    default:
      return unreachable(state);
  }
}

function notComparable(reason: Exclude<TreeState['type'], 'ready'>, side: TreeSide): Error {
  const what = {
    not_built: 'is not built: lock or update the trees',
    ongoing_update: 'is being built or rehashed: ask again',
    not_locked: 'is not locked: what it stands for cannot be listed',
  };
  return new TreeNotComparable(reason, side, `the ${side} hash tree ${what[reason]}`);
}

/** Names with unequal hashes, in the order of names; up to `last`, if given. */
function differing({ local, remote }: AnswerPair, last?: ByteString): Pair[] {
  const [ours, theirs] = [byName(local.hashes), byName(remote.hashes)];
  const pairs: Pair[] = [];
  for (const name of new Set([...ours.keys(), ...theirs.keys()])) {
    const pair = { name, local: ours.get(name), remote: theirs.get(name) };
    if (pair.local !== pair.remote && (last === undefined || name <= last)) pairs.push(pair);
  }
  return pairs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function byName(hashes: readonly NamedHash[]): Map<ByteString, string> {
  return new Map(hashes.map(({ name, hash }) => [name, hash]));
}

/** Up to here both have told everything; undefined when both have told all there is. */
function lastOfBoth({ local, remote }: AnswerPair): ByteString | undefined {
  const lasts = [local, remote].filter(({ more }) => more).map(({ hashes }) => hashes.at(-1)!.name);
  return lasts.toSorted((a, b) => (a < b ? -1 : 1))[0];
}

function sideWithout(local: string | undefined, remote: string | undefined): TreeSide | undefined {
  if (local === undefined) return 'local';
  return remote === undefined ? 'remote' : undefined;
}
