/** Driving a rig's hash tree, and reading all of it. */
import assert from 'node:assert/strict';
import {
  compareTrees,
  decodeAnswer,
  encodeQuery,
  type NamedHash,
  type SessionId,
  type TreeAnswer,
  type TreeDifference,
  type TreePath,
  type TreeQuery,
  type TreeState,
} from '../../src/registry/index.ts';
import { answerOf, resultOf, type Rig } from './rig.ts';

export interface Point {
  readonly index: number;
  readonly revision: number;
}

export function lockTree(rig: Rig, session: SessionId): Point {
  const { index, revision } = resultOf(rig.do({ type: 'lockTree' }, { session }), 'treeLocked');
  return { index, revision };
}

export function updateTree(rig: Rig, session: SessionId): Point {
  const result = rig.do({ type: 'updateTree' }, { session });
  const { index, revision } = resultOf(result, 'treeLocked');
  return { index, revision };
}

export function releaseTree(rig: Rig, session: SessionId): void {
  resultOf(rig.do({ type: 'releaseTree' }, { session }), 'done');
}

/** Lets the tree do all it has to do. Returns in how many slices. */
export function work(rig: Rig): number {
  let slices = 1;
  while (rig.machine.treeWork()) slices++;
  return slices;
}

export function askTree(rig: Rig, query: TreeQuery): TreeAnswer {
  return answerOf(decodeAnswer(rig.machine.query(encodeQuery(query))), 'tree');
}

export function stateOf(rig: Rig): TreeState {
  return askTree(rig, { type: 'treeHash', path: [] }).state;
}

/** The hash of one node; undefined when it is unknown. */
export function hashAt(rig: Rig, path: TreePath): string | undefined {
  const { hashes } = askTree(rig, { type: 'treeHash', path });
  return hashes[0]?.hash;
}

/** All pages of an answer; the tree must be ready. */
function all(rig: Rig, query: Extract<TreeQuery, { after: unknown }>): NamedHash[] {
  const found: NamedHash[] = [];
  for (;;) {
    let answer = askTree(rig, { ...query, after: found.at(-1)?.name });
    while (answer.state.type === 'ongoing_update') {
      work(rig);
      answer = askTree(rig, { ...query, after: found.at(-1)?.name });
    }
    assert.equal(answer.state.type, 'ready', JSON.stringify(query));
    found.push(...answer.hashes);
    if (!answer.more) return found;
  }
}

/** The whole tree as text, a node, a bucket and a key a line, read through queries only. */
export function wholeTree(rig: Rig): string[] {
  const lines: string[] = [];
  const visit = (path: TreePath): void => {
    lines.push(`${JSON.stringify(path)} ${hashAt(rig, path)}`);
    const buckets = all(rig, {
      type: 'treeBucket',
      path,
      level: 0,
      bucket: 0,
      after: undefined,
    });
    for (const { name, hash } of buckets) {
      lines.push(`${JSON.stringify(path)} #${name} ${hash}`);
      const bucket = Number(name);
      if (path.length === 2) {
        const keys = all(rig, { type: 'treeKeys', path, segment: bucket, after: undefined });
        for (const key of keys) lines.push(`${JSON.stringify(key.name)} ${key.hash}`);
      } else {
        const query = { type: 'treeBucket', path, level: 1, bucket, after: undefined } as const;
        for (const child of all(rig, query)) visit([...path, child.name]);
      }
    }
  };
  visit([]);
  return lines;
}

/** The names in a tree's bottom lines: every key it knows. */
export function keysIn(tree: readonly string[]): string[] {
  return tree
    .filter((line) => line.startsWith('"'))
    .map((line) => JSON.parse(line.slice(0, line.lastIndexOf(' '))) as string)
    .toSorted((a, b) => (a < b ? -1 : 1));
}

/** Compares two replicas' trees and lists the differences. */
export function compare(
  local: (query: TreeQuery) => TreeAnswer,
  remote: (query: TreeQuery) => TreeAnswer,
): TreeDifference[] {
  const comparing = compareTrees<TreeDifference[]>((one, found) => [...found, one], []);
  let step = comparing.next();
  while (step.done !== true) {
    step = comparing.next({ local: local(step.value), remote: remote(step.value) });
  }
  return step.value;
}
