/** Asks two members about their trees, only where their hashes differ. */
import { byteStringToBytes, HoldfastError, unreachable } from '../base/index.ts';
import {
  compareTrees,
  TreeNotComparable,
  type KeyDifference,
  type TreeAnswer,
  type TreeDifference,
  type TreeQuery,
} from '../registry/index.ts';
import { textOf } from './edge.ts';
import type * as edge from './hash-tree-types.ts';

/** One member's tree. */
export interface ComparedTree {
  /** For errors. */
  readonly node: string;
  readonly ask: (query: TreeQuery) => Promise<TreeAnswer>;
  /** Before a tree that is being hashed is asked again; rejects when there is no time left. */
  readonly pause: (round: number) => Promise<void>;
}

/**
 * The differences in the order of the tree, found as they are asked for. Throws `not-built` when a
 * tree is not there or stands for another index, `not-held` when it is not locked.
 */
export async function* treeDifferences(
  local: ComparedTree,
  remote: ComparedTree,
): AsyncGenerator<TreeDifference, void> {
  let found: TreeDifference[] = [];
  const comparing = compareTrees<void>((difference) => void found.push(difference), undefined);
  try {
    for (let step = comparing.next(); step.done !== true;) {
      const query = step.value;
      const answers = await Promise.all([answerOf(local, query), answerOf(remote, query)]);
      step = comparing.next({ local: answers[0], remote: answers[1] });
      yield* found;
      found = [];
    }
  } catch (error) {
    throw error instanceof TreeNotComparable ? explained(error, local, remote) : error;
  }
}

async function answerOf(tree: ComparedTree, query: TreeQuery): Promise<TreeAnswer> {
  for (let round = 0; ; round++) {
    const answer = await tree.ask(query);
    // What a comparison begins with must be ready; the keys of a part are listed on demand.
    if (answer.state.type !== 'ongoing_update' || query.type === 'treeHash') return answer;
    await tree.pause(round);
  }
}

function explained(
  error: TreeNotComparable,
  local: ComparedTree,
  remote: ComparedTree,
): HoldfastError {
  const { reason, side, message } = error;
  const nodes = `${local.node} (local) and ${remote.node} (remote)`;
  const text = `${side === undefined ? nodes : sideNode(side, local, remote)}: ${message}`;
  const code = reason === 'not_locked' ? 'not-held' : 'not-built';
  return new HoldfastError(code, text, { cause: error });
}

function sideNode(side: 'local' | 'remote', local: ComparedTree, remote: ComparedTree): string {
  return side === 'local' ? local.node : remote.node;
}

/** As users see it. */
export function edgeDifference(found: TreeDifference): edge.TreeDifference {
  const path = found.path.map(textOf);
  const pathBytes = found.path.map(byteStringToBytes);
  switch (found.type) {
    case 'missingPrefix':
      return { type: 'missingPrefix', side: found.side, path, pathBytes };
    case 'keyDiffs':
      return { type: 'keyDiffs', path, pathBytes, diffs: found.keys.map(edgeKeyDifference) };
    default:
      return unreachable(found);
  }
}

function edgeKeyDifference({ key, how }: KeyDifference): edge.KeyDifference {
  return { type: how, key: textOf(key), keyBytes: byteStringToBytes(key) };
}
