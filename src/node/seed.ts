/**
 * Seeds in a store: the state a new cluster is to begin with, put there before the node's first
 * start. A seed is a snapshot at an index above 0 and of term 0, which no entry ever has. Until the
 * cluster is founded its membership only says what the seed is for; founding writes the same bytes
 * anew under the real one.
 */
import { HoldfastError } from '../base/index.ts';
import type { LogStore, OpenOptions, RecoveredLog, SnapshotReader } from '../log-store/index.ts';
import { foundingMembership, foundingSnapshot, NO_TERM } from '../raft/index.ts';
import type { LogIndex, Member, Membership, NodeId, SnapshotMeta } from '../raft/index.ts';

/** Stand where a cluster's id does, which never looks like this. */
const SEED_MARK = 'seed of ';
const UNFINISHED_MARK = 'unfinished seed';

const DIGEST = /^[0-9a-f]{64}$/;

/** What a node's store was seeded with. */
export interface Seed {
  /** SHA-256 of what the cluster begins with, in hex. */
  readonly digest: string;
  readonly clusterName: string;
  readonly id: NodeId;
  readonly peers: ReadonlyMap<NodeId, string>;
  readonly index: LogIndex;
  /** Cluster time that goes on from here, in ms. */
  readonly time: number;
}

function seedMembership(mark: string, { id, peers }: Seed, storeId: string): Membership {
  const members = [...peers].map(([peer, address]): [NodeId, Member] => {
    return [peer, { address, storeId: peer === id ? storeId : '' }];
  });
  return foundingMembership(mark, Object.fromEntries(members));
}

/**
 * Puts a seed into a store that holds nothing yet, or an unfinished seed, and closes it. A store
 * that was being seeded when the process died refuses to start until it is seeded anew.
 *
 * @throws HoldfastError `configuration-mismatch` when the store holds something already.
 */
export async function plantSeed(
  store: LogStore,
  seed: Seed,
  chunks: AsyncIterable<Uint8Array>,
  open: OpenOptions,
): Promise<void> {
  const { storeId, ...recovered } = await store.open(open);
  try {
    if (!isBlank(recovered) && !isUnfinishedSeed(recovered.snapshot)) {
      const text = 'a seed is for a store without data; this one has some: give an empty one';
      throw new HoldfastError('configuration-mismatch', text);
    }
    const mark = `${SEED_MARK}${seed.digest} ${seed.clusterName}`;
    const unfinished = seedMembership(UNFINISHED_MARK, seed, storeId);
    await store.saveSnapshot(foundingSnapshot(unfinished), noChunks());
    const { index, time } = seed;
    const whole = foundingSnapshot(seedMembership(mark, seed, storeId));
    await store.saveSnapshot({ ...whole, index, time }, chunks);
  } finally {
    await store.close();
  }
}

async function* noChunks(): AsyncGenerator<Uint8Array> {
  // Whoever finds it knows by its membership that the state is yet to come.
}

/** Whether nothing was ever written to a store but its id. */
export function isBlank(
  recovered: Pick<RecoveredLog, 'snapshot' | 'lastIndex' | 'metadata'>,
): boolean {
  const { snapshot, lastIndex, metadata } = recovered;
  return snapshot === undefined && lastIndex === 0 && metadata.term === 0;
}

function isUnfinishedSeed(snapshot: SnapshotMeta | undefined): boolean {
  return snapshot?.term === NO_TERM && snapshot.membership.clusterId === UNFINISHED_MARK;
}

/**
 * The seed that waits in a store, if one does.
 *
 * @throws HoldfastError `corrupt-data` when the seeding was cut off.
 */
export function findSeed(recovered: RecoveredLog): Seed | undefined {
  const { snapshot, storeId } = recovered;
  if (snapshot === undefined || snapshot.term !== NO_TERM) return undefined;
  const { clusterId, members } = snapshot.membership;
  if (isUnfinishedSeed(snapshot)) {
    const text = 'restoring a backup into this store was cut off: do it again before the start';
    throw new HoldfastError('corrupt-data', text);
  }
  if (!clusterId.startsWith(SEED_MARK)) return undefined;
  const [digest = '', ...name] = clusterId.slice(SEED_MARK.length).split(' ');
  const ids = Object.keys(members) as NodeId[];
  const id = ids.find((one) => members[one]!.storeId === storeId);
  if (!DIGEST.test(digest) || id === undefined) {
    throw new HoldfastError('corrupt-data', `the store's seed cannot be read: ${clusterId}`);
  }
  const peers = new Map(ids.map((one) => [one, members[one]!.address]));
  const { index, time } = snapshot;
  return { digest, clusterName: name.join(' '), id, peers, index, time };
}

/** Checks that the node was started as its seed is meant. @throws `configuration-mismatch` */
export function checkSeed(
  seed: Seed,
  options: {
    readonly id: NodeId;
    readonly clusterName: string;
    readonly peers: ReadonlyMap<NodeId, string>;
  },
): void {
  const meant = [
    ['the node', seed.id, options.id],
    ['the cluster', `'${seed.clusterName}'`, `'${options.clusterName}'`],
    ['the peers', idsOf(seed.peers), idsOf(options.peers)],
  ] as const;
  for (const [what, restored, started] of meant) {
    if (restored === started) continue;
    const text =
      `the backup in this store was restored for ${what} ${restored}, but it was started for ` +
      `${started}: start it as it was restored, or restore again`;
    throw new HoldfastError('configuration-mismatch', text);
  }
}

/** Addresses may have changed since; founding compares those. */
function idsOf(peers: ReadonlyMap<NodeId, string>): string {
  return peers.size === 0 ? 'none' : [...peers.keys()].toSorted().join(',');
}

/** What is recovered by a node that left its seed unused. */
export function withoutSeed(recovered: RecoveredLog): RecoveredLog {
  const [firstIndex, lastIndex] = [1 as LogIndex, 0 as LogIndex];
  return { ...recovered, snapshot: undefined, firstIndex, lastIndex, lastTime: 0 };
}

/** The bytes of the store's snapshot; the reader is closed at the end. */
export async function* seedChunks(reader: SnapshotReader): AsyncGenerator<Uint8Array> {
  const chunkBytes = 256 * 1024;
  try {
    for (let offset = 0; offset < reader.size;) {
      const chunk = await reader.read(offset, chunkBytes);
      offset += chunk.length;
      yield chunk;
    }
  } finally {
    await reader.close();
  }
}
