/** The end of a random run: faults stop, and from then on things must go right. */
import { invariant } from '../../src/base/index.ts';
import { assertConverged, disagreement } from './convergence.ts';
import { readmit, type RunState } from './random-actions.ts';

/** Time enough for elections, catching up, and a wiped node's return, at the smallest limits. */
const MAX_TICKS = 2000;
const READ_TICKS = 60;

export function heal(state: RunState): void {
  const { cluster } = state;
  cluster.network.heal();
  for (const node of cluster.nodes.values()) node.diskHeld = false;
  cluster.startAll();
  for (const node of cluster.nodes.values()) node.input((raft) => raft.setCampaignAllowed(true));
  const converges = passes(state, MAX_TICKS, () => {
    readmit(state);
    return state.wiped === undefined && isWhole(state);
  });
  invariant(converges, 'no agreement after everything was healed', whatIsWrong(state));
  const command = `last${state.commands++}`;
  const progresses = passes(state, MAX_TICKS, () => {
    if (!cluster.acknowledged.has(command)) proposeAgain(state, command);
    return cluster.acknowledged.has(command) && isWhole(state);
  });
  invariant(progresses, 'no progress after everything was healed', whatIsWrong(state));
  assertConverged(cluster);
  for (const [acknowledged, index] of cluster.acknowledged) {
    const committedAt = cluster.oracle.commandCommittedAt(acknowledged);
    invariant(committedAt === index, 'an acknowledged command is lost', acknowledged);
  }
  readsAreAnswered(state);
}

/** Lets time pass in step until a condition holds; false when it never did. */
function passes({ cluster }: RunState, ticks: number, condition: () => boolean): boolean {
  for (let left = ticks; left > 0; left--) {
    cluster.settle();
    if (condition()) return true;
    cluster.tickAll();
  }
  return false;
}

function isWhole({ cluster }: RunState): boolean {
  const membership = cluster.leader()?.raft?.membership;
  return membership?.outgoing.length === 0 && disagreement(cluster) === undefined;
}

/** One proposal at a time; a new one only if the leader that took it has changed. */
function proposeAgain({ cluster }: RunState, command: string): void {
  if (cluster.isPending(command)) return;
  const leader = cluster.leader();
  if (leader !== undefined) cluster.propose(leader.id, [command]);
}

/** Every member that is up answers a read now, with everything committed in it. */
function readsAreAnswered(state: RunState): void {
  const { cluster } = state;
  const membership = cluster.leader()?.raft?.membership;
  const contexts: number[] = [];
  for (const { id } of cluster.alive()) {
    if (membership === undefined || !(id in membership.members)) continue;
    contexts.push(state.reads);
    cluster.read(id, state.reads++);
  }
  const isReady = (context: number): boolean => cluster.readResults.get(context)?.type === 'ready';
  const answered = passes(state, READ_TICKS, () => contexts.every(isReady));
  invariant(answered, 'a read is never answered', contexts.map(isReady));
}

function whatIsWrong(state: RunState): unknown {
  const { cluster, wiped } = state;
  return {
    reason: disagreement(cluster),
    wiped,
    nodes: cluster.alive().map((node) => node.raft?.status()),
  };
}
