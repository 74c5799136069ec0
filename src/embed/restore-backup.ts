/** Restoring: a new cluster that begins with the contents of a backup. */
import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { HoldfastError, optionNames, refuseUnknownOptions } from '../base/index.ts';
import { loadBackup, type LoadedBackup } from '../client/backup-file.ts';
import { plantSeed, type NodeId, type Seed } from '../node/index.ts';
import { addressSchema, describeIssues, nodeIdSchema, plainRules } from '../protocol/index.ts';
import type { ServerOptions } from '../server/index.ts';

/**
 * Far more changes than a cluster makes between a backup and its end: at 10,000 a second, of a day.
 */
const DEFAULT_BUMP = 1_000_000_000;

export interface RestoreOptions {
  /** The backup. */
  readonly file: string;
  /** Where this node is to begin: a store without data, closed. It is closed again afterwards. */
  readonly store: ServerOptions['store'];
  /** The node that will be started on that store. */
  readonly id: string;
  /** Every founding node of the new cluster with its address, this one included. */
  readonly peers: Readonly<Record<string, string>>;
  /** Name of the new cluster; the old one's by default. */
  readonly clusterName?: string;
  /**
   * How far the new cluster's revisions and fencing tokens begin above those of the backup;
   * 1,000,000,000 by default. It must be more than the old cluster can have gone on after the
   * backup, or tokens are given out twice. The same on every node.
   */
  readonly bumpRevision?: number;
}

export interface RestoredBackup {
  /** Tells this beginning from others; part of the new cluster's id. */
  readonly digest: string;
  readonly clusterName: string;
  /** The revision the new cluster begins at. */
  readonly revision: number;
  readonly keys: number;
  /** Sessions that the backup had, and that have ended with the restore. */
  readonly endedSessions: number;
}

const NAMES = optionNames<RestoreOptions>({
  file: true,
  store: true,
  id: true,
  peers: true,
  clusterName: true,
  bumpRevision: true,
});

const schema = z
  .object({
    file: z.string('file is the name of a backup').min(1, 'file is the name of a backup'),
    id: nodeIdSchema,
    peers: z.record(nodeIdSchema, addressSchema, 'peers maps the id of every node to host:port'),
    clusterName: z.string('clusterName is text').min(1, 'clusterName is not empty').optional(),
    bumpRevision: z
      .int('bumpRevision is a whole number')
      .min(1, 'bumpRevision is at least 1, or tokens would be given out twice')
      .default(DEFAULT_BUMP),
  })
  .refine(({ id, peers }) => Object.hasOwn(peers, id), {
    error: ({ input }) => {
      const { id, peers } = input as { id: string; peers: Record<string, string> };
      const all = Object.keys(peers).join(', ');
      return `peers names every node of the new cluster: '${id}' is not in ${all}`;
    },
  });

/**
 * Puts what a new cluster is to begin with into this node's store. To be called once for every
 * founding node, with the same file, peers and `bumpRevision`; then they are started with these
 * peers, and found a cluster with an id of its own once all have met.
 *
 * All keys are there, at a revision far above, and cluster time goes on from that of the backup: a
 * key with a TTL has as long to live as it had then. Sessions are not, nor what they owned: locks,
 * places in queues, ephemeral keys. History begins anew: watches from old revisions are told
 * `compacted`.
 *
 * @throws HoldfastError `corrupt-data` when the backup is damaged, before the store is touched;
 * `configuration-mismatch` when the store holds data; `invalid-argument`; what the store throws.
 * When it fails or is cut off later, the store does not start, and the call can be made again.
 * @example
 * await restoreBackup({ file: 'monday.hfb', store, id: 'a', peers });
 * const node = await Holdfast.start({ id: 'a', listen: peers.a, peers, store });
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoredBackup> {
  refuseUnknownOptions('restoreBackup', options, NAMES);
  const { file, store } = options;
  const parsed = schema.safeParse(options, plainRules);
  if (!parsed.success) throw invalid(describeIssues(parsed.error));
  const { id, peers, bumpRevision, clusterName } = parsed.data;
  const { report, image } = await loadBackup(file);
  // Session ids are log indexes, and must not come again either.
  const index = report.index + Math.max(bumpRevision, DEFAULT_BUMP);
  if (!Number.isSafeInteger(index)) {
    throw invalid(`bumpRevision: the log index ${report.index} raised by it is above 2^53 - 1`);
  }
  const state = raised(image, report.index, bumpRevision);
  const seed: Seed = {
    digest: digestOf(index, state.chunks()),
    clusterName: clusterName ?? report.clusterName,
    id: id as NodeId,
    peers: new Map(Object.entries(peers).map(([peer, at]) => [peer as NodeId, at])),
    index: index as Seed['index'],
    time: state.summary.time,
  };
  await plantSeed(store, seed, inTurns(state.chunks()), { newStoreId: randomUUID() });
  return {
    digest: seed.digest,
    clusterName: seed.clusterName,
    revision: state.summary.revision,
    keys: state.summary.keys,
    endedSessions: report.sessions,
  };
}

function raised(
  image: LoadedBackup['image'],
  index: number,
  bumpRevision: number,
): ReturnType<LoadedBackup['image']['seed']> {
  try {
    return image.seed(index, bumpRevision);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalid(`bumpRevision: ${error.message}`);
  }
}

/** What all founding members must begin with alike. */
function digestOf(index: number, chunks: Iterable<Uint8Array>): string {
  const hash = createHash('sha256').update(`${index}\n`);
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

async function* inTurns(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function invalid(why: string): HoldfastError {
  return new HoldfastError('invalid-argument', `restoreBackup: ${why}`);
}
