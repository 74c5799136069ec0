/** Which links a partition cuts. */
import { unreachable } from '../../src/base/index.ts';
import type { DirectedLink, PartitionShape } from './fault.ts';

/** What a shape cuts, of nodes in an order that was drawn. */
export function linksOf(shape: PartitionShape, nodes: readonly string[]): DirectedLink[] {
  const half = Math.floor(nodes.length / 2);
  switch (shape) {
    case 'leader':
      return [];
    case 'one':
      return bothWays(nodes.slice(0, 1), nodes.slice(1));
    case 'halves':
      return bothWays(nodes.slice(0, half), nodes.slice(half));
    case 'oneWay':
      return nodes.slice(1).map((to): DirectedLink => [nodes[0]!, to]);
    case 'bridge':
      return bothWays(nodes.slice(0, half), nodes.slice(half + 1));
    case 'majorityRing':
      return ringCuts(nodes);
    default:
      return unreachable(shape);
  }
}

/** Both directions between any of the one and any of the other. */
export function bothWays(some: readonly string[], others: readonly string[]): DirectedLink[] {
  return some.flatMap((a) =>
    others.flatMap((b): DirectedLink[] => [
      [a, b],
      [b, a],
    ]),
  );
}

/** Each keeps so many neighbours on a ring that with itself they are a majority. */
function ringCuts(nodes: readonly string[]): DirectedLink[] {
  const count = nodes.length;
  const reach = Math.ceil(Math.floor(count / 2) / 2);
  const isNear = (i: number, j: number): boolean => {
    const distance = Math.abs(i - j);
    return Math.min(distance, count - distance) <= reach;
  };
  return nodes.flatMap((a, i) =>
    nodes.flatMap((b, j): DirectedLink[] => (i === j || isNear(i, j) ? [] : [[a, b]])),
  );
}
