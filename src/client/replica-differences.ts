/** The keys in which one replica differs from another, named for people. */
import { bytesToByteString, byteStringToBytes } from '../base/index.ts';
import type { ByteString } from '../registry/index.ts';
import { textOf } from './edge.ts';
import { describeKey } from './reserved-names.ts';
import type { TreeDifference } from './hash-tree-types.ts';
import { keysUnder, treeDifferences, type ComparedTree } from './tree-compare.ts';
import type { ReplicaDifference, VerifiedMember } from './verify-types.ts';

type Kind = ReplicaDifference['kind'];
interface Found {
  readonly key: ByteString;
  readonly kind: Kind;
}

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
  for await (const { key, kind } of differingKeys(reference, replica)) {
    differing++;
    if (differences.length < maxDifferences) differences.push(named(key, kind));
    if (differing >= MAX_COUNTED) break;
  }
  return { differences, differing, more: differing > differences.length };
}

async function* differingKeys(
  reference: ComparedTree,
  replica: ComparedTree,
): AsyncGenerator<Found, void> {
  for await (const found of treeDifferences(reference, replica)) {
    if (found.type === 'keyDiffs') {
      for (const { keyBytes, type } of found.diffs) {
        yield { key: bytesToByteString(keyBytes), kind: KINDS[type] };
      }
    } else {
      yield* keysOfPrefix(found, reference, replica);
    }
  }
}

async function* keysOfPrefix(
  { side, pathBytes }: Extract<TreeDifference, { readonly type: 'missingPrefix' }>,
  reference: ComparedTree,
  replica: ComparedTree,
): AsyncGenerator<Found, void> {
  const path = pathBytes.map(bytesToByteString);
  const isMissing = side === 'remote';
  const kind = isMissing ? 'missing' : 'extra';
  for await (const key of keysUnder(isMissing ? reference : replica, path)) yield { key, kind };
}

function named(key: ByteString, kind: Kind): ReplicaDifference {
  return { key: textOf(key), keyBytes: byteStringToBytes(key), name: describeKey(key), kind };
}
