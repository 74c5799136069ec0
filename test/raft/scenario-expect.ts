/** The `expect` command: what a scenario asserts beyond its recorded output. */
import { invariant } from '../../src/base/index.ts';
import type { LogIndex, NodeId } from '../../src/raft/index.ts';
import type { Cluster } from './cluster.ts';
import { assertConverged } from './convergence.ts';

type Check = (cluster: Cluster, words: readonly string[]) => unknown;

function coreOf(cluster: Cluster, id: string | undefined): ReturnType<Cluster['core']> {
  return cluster.core(id as NodeId);
}

/** Index and term pairs of the log in memory that is written at one node. */
function logText(cluster: Cluster, id: string | undefined): string {
  const log = cluster.oracle.mirror(id as NodeId);
  invariant(log !== undefined, 'the node never started', id);
  const terms: string[] = [];
  for (let index = log.base + 1; index <= log.lastIndex; index++) {
    terms.push(String(log.termAt(index as LogIndex)));
  }
  return terms.join(' ');
}

/** Each gives what is to be compared with the rest of the line. */
const CHECKS: Readonly<Record<string, Check>> = {
  leader: (cluster) => cluster.leader()?.id ?? 'none',
  role: (cluster, [id]) => coreOf(cluster, id).role,
  term: (cluster, [id]) => coreOf(cluster, id).term,
  follows: (cluster, [id]) => coreOf(cluster, id).leader ?? 'nobody',
  commit: (cluster, [id]) => coreOf(cluster, id).commitIndex,
  last: (cluster, [id]) => coreOf(cluster, id).status().lastIndex,
  vote: (cluster, [id]) => cluster.node(id as NodeId).disk.metadata.votedFor ?? 'none',
  durable: (cluster, [id]) => cluster.node(id as NodeId).disk.lastIndex,
  uncommitted: (cluster, [id]) => coreOf(cluster, id).status().uncommittedBytes,
  log: (cluster, [id]) => logText(cluster, id),
  applied: (cluster, [id]) => cluster.node(id as NodeId).machine.index,
  snapshot: (cluster, [id]) => cluster.node(id as NodeId).disk.snapshot?.meta.index ?? 'none',
  voters: (cluster, [id]) => coreOf(cluster, id).membership.voters.join(' '),
  learners: (cluster, [id]) => coreOf(cluster, id).membership.learners.join(' ') || 'none',
  outgoing: (cluster, [id]) => coreOf(cluster, id).membership.outgoing.join(' ') || 'none',
  lease: (cluster, [id]) => cluster.leaseRead(id as NodeId) ?? 'none',
  transferring: (cluster, [id]) => coreOf(cluster, id).status().transferTo ?? 'nobody',
  read: (cluster, [context]) => {
    const result = cluster.readResults.get(Number(context));
    return result?.type === 'ready' ? `ready at ${result.index}` : (result?.type ?? 'pending');
  },
  /** How many messages a node has in flight to anyone. */
  'in-flight': (cluster, [id]) =>
    cluster.network
      .links()
      .filter((link) => link.from === id)
      .reduce((total, link) => total + link.queue.length, 0),
};

/** Checks without a node: `leader a`. All others: `commit a 5`. */
const WITHOUT_SUBJECT = new Set(['leader']);

/** Throws unless what the line says is so. */
export function expectation(cluster: Cluster, words: readonly string[]): undefined {
  const [what, ...rest] = words;
  if (what === 'converged') {
    assertConverged(cluster);
    return undefined;
  }
  const check = CHECKS[what ?? ''];
  invariant(check !== undefined, 'no such expectation', what);
  const expected = rest.slice(WITHOUT_SUBJECT.has(what ?? '') ? 0 : 1).join(' ');
  const actual = String(check(cluster, rest));
  invariant(actual === expected, `expected ${words.join(' ')}`, { actual });
  return undefined;
}
