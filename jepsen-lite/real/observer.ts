/** Looks at every node all the time, past the proxies, for the record and for who leads. */
import { setTimeout as sleep } from 'node:timers/promises';
import { statusOf, type StatusReport } from '../../src/client/index.ts';
import type { ProcessCluster } from './process-cluster.ts';
import { Sometimes } from '../simulation/sometimes.ts';
import { Timeline } from '../simulation/timeline.ts';
import type { NodeTimeline } from '../simulation/run-record.ts';

const LOOK_EVERY_MS = 100;
const LOOK_PATIENCE_MS = 1_000;
const ROLES = ['follower', 'preCandidate', 'candidate', 'leader', 'learner'] as const;

function isMemberRole(role: string): role is (typeof ROLES)[number] {
  return ROLES.some((one) => one === role);
}

interface Seen {
  readonly endpoint: string;
  readonly timeline: Timeline;
  /** The newest; undefined while it does not answer. */
  status: StatusReport | undefined;
}

export class Observer {
  readonly sometimes: Sometimes = new Sometimes();
  readonly #clusterName: string;
  readonly #now: () => number;
  readonly #nodes: ReadonlyMap<string, Seen>;
  readonly #watching: Promise<unknown>;
  #isOver = false;
  #latestLeader: { readonly id: string; readonly term: number } | undefined = undefined;

  constructor(cluster: ProcessCluster, now: () => number) {
    this.#clusterName = cluster.clusterName;
    this.#now = now;
    this.#nodes = new Map(
      cluster.ids.map((id) => {
        return [
          id,
          { endpoint: cluster.endpoint(id), timeline: new Timeline(id), status: undefined },
        ];
      }),
    );
    this.#watching = Promise.all([...this.#nodes.values()].map((seen) => this.#watch(seen)));
  }

  /** What it last said; undefined while it does not answer. */
  status(id: string): StatusReport | undefined {
    return this.#nodes.get(id)?.status;
  }

  timeline(id: string): Timeline {
    const seen = this.#nodes.get(id);
    if (seen === undefined) throw new Error(`there is no node ${id}`);
    return seen.timeline;
  }

  /** The leader of the latest term that was seen, as far as it is known. */
  leader(): StatusReport | undefined {
    return [...this.#nodes.values()]
      .flatMap(({ status }) => (status?.role === 'leader' ? [status] : []))
      .toSorted((a, b) => b.term - a.term)[0];
  }

  timelines(): NodeTimeline[] {
    return [...this.#nodes.values()].map(({ timeline }) => timeline.toRecord());
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#watching;
  }

  async #watch(seen: Seen): Promise<void> {
    while (!this.#isOver) {
      const endpoints = [seen.endpoint];
      const clusterName = this.#clusterName;
      const options = { endpoints, clusterName, requestTimeout: LOOK_PATIENCE_MS };
      const [answer] = await statusOf(options);
      this.#note(seen, answer?.status);
      await sleep(LOOK_EVERY_MS);
    }
  }

  #note(seen: Seen, status: StatusReport | undefined): void {
    const before = seen.status;
    seen.status = status;
    if (status === undefined) return;
    const { role, term, commitIndex, appliedIndex, lastIndex, snapshotIndex } = status;
    // Without a cluster it is still about to open its store.
    if (role === 'joining' && status.clusterId !== '') seen.timeline.outside(this.#now());
    if (isMemberRole(role)) {
      seen.timeline.moment(this.#now(), {
        role,
        term,
        commit: commitIndex,
        applied: appliedIndex,
        lastIndex,
        snapshot: snapshotIndex,
      });
    }
    if (before !== undefined && snapshotIndex > before.snapshotIndex) {
      this.sometimes.met(snapshotIndex > before.lastIndex ? 'snapshotInstalled' : 'snapshotSaved');
    }
    if (before?.storeId === status.storeId && lastIndex < before.lastIndex)
      this.sometimes.met('logTruncated');
    if (role === 'leader') this.#led(status);
  }

  #led({ id, term }: StatusReport): void {
    const latest = this.#latestLeader;
    const leaders = [...this.#nodes.values()].filter(({ status }) => status?.role === 'leader');
    if (new Set(leaders.map(({ status }) => status?.term)).size > 1) {
      this.sometimes.met('twoLeaders');
    }
    if (latest !== undefined && term <= latest.term) return;
    this.#latestLeader = { id, term };
    this.sometimes.met('leaderElected');
  }
}
