/** The keys in which one replica differs from another, named for people. */
import { byteStringToBytes } from '../base/index.ts';
import type { ByteString } from '../registry/index.ts';
import { textOf } from './edge.ts';
import { describeKey } from './reserved-names.ts';
import { treeDifferences, type ComparedTree } from './tree-compare.ts';
import type { ReplicaDifference, VerifiedMember } from './verify-types.ts';

type Kind = ReplicaDifference['kind'];

/** Counting further would take as long again, and say no more. */
const MAX_COUNTED = 10_000;

const KINDS = { missing: 'extra', remoteMissing: 'missing', different: 'different' } as const;

export async function replicaDifferences(
  reference: ComparedTree,
  replica: ComparedTree,
  { maxDifferences }: { readonly maxDifferences: number },
): Promise<Pick<VerifiedMember, 'differences' | 'differing' | 'more'>> {
  const differences: ReplicaDifference[] = [];
  let differing = 0;
  // A prefix that one side lacks altogether is followed by its keys, which say enough.
  for await (const found of treeDifferences(reference, replica)) {
    if (found.type !== 'keyDiffs') continue;
    for (const { key, how } of found.keys) {
      differing++;
      if (differences.length < maxDifferences) differences.push(named(key, KINDS[how]));
    }
    if (differing >= MAX_COUNTED) break;
  }
  return { differences, differing, more: differing > differences.length };
}

function named(key: ByteString, kind: Kind): ReplicaDifference {
  return { key: textOf(key), keyBytes: byteStringToBytes(key), name: describeKey(key), kind };
}
