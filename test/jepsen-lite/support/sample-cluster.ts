/** The nodes of a sample run: faults, who led when, how far each had come. Made up, but likely. */
import { LEADER, type Fault } from '../../../jepsen-lite/faults/fault.ts';
import type {
  InjectedFault,
  Message,
  NodeDisk,
  NodeLife,
  NodeRole,
  NodeTimeline,
} from '../../../jepsen-lite/simulation/run-record.ts';
import type { Chance } from './sample-chance.ts';

/** From when to when nobody could write. */
export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface SampleCluster {
  readonly faults: readonly InjectedFault[];
  readonly nodes: readonly NodeTimeline[];
  readonly outages: readonly Outage[];
  readonly leaderAt: (atMs: number) => string;
  readonly terms: number;
}

type Draft<T> = [number, T][];
interface DraftNode {
  readonly node: string;
  readonly life: Draft<NodeLife>;
  readonly role: Draft<NodeRole>;
  readonly disk: Draft<NodeDisk>;
  readonly term: Draft<number>;
  readonly commit: Draft<number>;
  readonly applied: Draft<number>;
  readonly lastIndex: Draft<number>;
}

/** Counters change this often. */
const SAMPLE_MS = 45;
const ENTRIES_PER_MS = 0.16;

export function sampleCluster(
  chance: Chance,
  ids: readonly string[],
  faultsFromMs: number,
  faultsToMs: number,
  durationMs: number,
): SampleCluster {
  const nodes = ids.map(draftNode);
  const cluster = new Drafting(chance, nodes);
  cluster.elect(260, 1);
  let atMs = faultsFromMs;
  while (atMs < faultsToMs - 2500) {
    atMs += chance.between(250, 1700);
    cluster.inject(atMs, faultsFromMs);
  }
  fillCounters(cluster.deaf, cluster.outages, durationMs);
  return {
    faults: cluster.faults.toSorted((a, b) => a.fromMs - b.fromMs),
    nodes,
    outages: cluster.outages,
    leaderAt: (ms) => cluster.reigns.findLast(([from]) => from <= ms)?.[1] ?? ids[0]!,
    terms: cluster.reigns.length,
  };
}

function draftNode(node: string): DraftNode {
  return {
    node,
    life: [[0, 'up']],
    role: [[0, 'follower']],
    disk: [[0, 'ok']],
    term: [[0, 0]],
    commit: [[0, 0]],
    applied: [[0, 0]],
    lastIndex: [[0, 0]],
  };
}

class Drafting {
  readonly faults: InjectedFault[] = [];
  readonly outages: Outage[] = [];
  readonly reigns: [number, string][] = [];
  /** When each node heard nothing. */
  readonly deaf = new Map<DraftNode, Outage[]>();
  readonly #chance: Chance;
  readonly #nodes: readonly DraftNode[];
  #leader = 0;
  #busyUntilMs = 0;

  constructor(chance: Chance, nodes: readonly DraftNode[]) {
    this.#chance = chance;
    this.#nodes = nodes;
    for (const node of nodes) this.deaf.set(node, []);
  }

  /** Another one becomes candidate, then leader; `stays`: the old one has not heard of it until. */
  elect(atMs: number, term: number, staysUntilMs?: number): void {
    const before = this.#leader;
    const after = (before + 1 + Math.floor(this.#chance.next() * 3)) % this.#nodes.length;
    const candidate = this.#nodes[after]!;
    candidate.role.push([atMs, 'preCandidate'], [atMs + 14, 'candidate'], [atMs + 31, 'leader']);
    this.reigns.push([atMs + 31, candidate.node]);
    this.#nodes.forEach((node, i) => {
      const heardMs = i === before && staysUntilMs !== undefined ? staysUntilMs : atMs + 18 + i;
      node.term.push([heardMs, term]);
      if (i === before && term > 1) node.role.push([heardMs, 'follower']);
    });
    this.#leader = after;
  }

  inject(atMs: number, faultsFromMs: number): void {
    const forMs = this.#chance.between(300, 2400);
    const timed = { atMs: atMs - faultsFromMs, forMs };
    const hitsLeader = this.#chance.next() < 0.5 && atMs > this.#busyUntilMs + 900;
    if (hitsLeader) this.#hitLeader(atMs, timed);
    else this.#hitOther(atMs, timed);
  }

  #hitLeader(atMs: number, timed: { atMs: number; forMs: number }): void {
    const node = this.#nodes[this.#leader]!;
    const toMs = atMs + timed.forMs;
    const term = this.reigns.length + 1;
    const electedMs = atMs + this.#chance.between(180, 420);
    const kind = this.#chance.pick(['partition', 'crash', 'pause'] as const);
    if (kind === 'partition') {
      this.#note({ type: 'partition', shape: 'leader', links: [], flapMs: 0, ...timed }, [node]);
      this.deaf.get(node)!.push({ fromMs: atMs, toMs });
      this.elect(electedMs, term, toMs);
    } else {
      const fault: Fault =
        kind === 'crash'
          ? { type: 'crash', node: LEADER, whilePending: true, power: true, ...timed }
          : { type: 'pause', node: LEADER, ...timed };
      this.#note(fault, [node]);
      node.life.push([atMs, kind === 'crash' ? 'down' : 'paused'], [toMs, 'up']);
      this.deaf.get(node)!.push({ fromMs: atMs, toMs });
      this.elect(electedMs, term, toMs + 4);
    }
    this.outages.push({ fromMs: atMs, toMs: electedMs + 60 });
    this.#busyUntilMs = Math.max(toMs, electedMs);
  }

  #hitOther(atMs: number, timed: { atMs: number; forMs: number }): void {
    const i = (this.#leader + 1 + Math.floor(this.#chance.next() * 4)) % this.#nodes.length;
    const node = this.#nodes[i]!;
    const { fault, life, disk } = this.#draw(node, timed);
    const free = (node.life.at(-1)?.[0] ?? 0) < atMs && (node.disk.at(-1)?.[0] ?? 0) < atMs;
    const everyone = fault.type === 'weather' ? this.#nodes : [node];
    if (!free && fault.type !== 'weather') return;
    this.#note(fault, everyone);
    const toMs = atMs + fault.forMs;
    if (life !== undefined) node.life.push([atMs, life], [toMs, 'up']);
    if (disk !== undefined) node.disk.push([atMs, disk], [toMs, 'ok']);
    if (fault.type !== 'weather' && fault.type !== 'clockRate' && fault.type !== 'transfer') {
      this.deaf.get(node)!.push({ fromMs: atMs, toMs });
    }
  }

  #draw(
    { node }: DraftNode,
    timed: { atMs: number; forMs: number },
  ): { fault: Fault; life?: NodeLife; disk?: NodeDisk } {
    const chance = this.#chance;
    const atOnce = { ...timed, forMs: 0 };
    const slow = { type: 'slow', latencyMs: 80 } as const;
    const weather = { loss: 0.05, duplicate: 0.02, delayMs: 30, corrupt: 0.01 };
    const links = [['n1', node] as const, [node, 'n1'] as const];
    return chance.pick([
      { fault: { type: 'partition', shape: 'halves', links, flapMs: 0, ...timed } },
      { fault: { type: 'partition', shape: 'oneWay', links: [links[0]!], flapMs: 90, ...timed } },
      { fault: { type: 'weather', ...weather, ...timed } },
      { fault: { type: 'slowLink', from: node, to: 'n1', delayMs: 90, ...timed } },
      {
        fault: { type: 'crash', node, whilePending: false, power: chance.next() < 0.5, ...timed },
        life: 'down',
      },
      { fault: { type: 'pause', node, ...timed }, life: 'paused' },
      { fault: { type: 'clockRate', node, rate: 1.04, ...timed } },
      { fault: { type: 'clockJump', node, byMs: 900, ...atOnce } },
      { fault: { type: 'disk', node, how: slow, ...timed }, disk: 'slow' },
      { fault: { type: 'disk', node, how: { type: 'full' }, ...timed }, disk: 'full' },
      { fault: { type: 'damage', node, how: 'bitFlip', where: 0.41, ...atOnce } },
      { fault: { type: 'membership', node, how: 'demote', ...timed } },
      { fault: { type: 'clientCut', client: 2, how: 'frame', ...atOnce } },
    ]);
  }

  #note(fault: Fault, nodes: readonly DraftNode[]): void {
    const fromMs = fault.atMs + 1500;
    const targets =
      fault.type === 'clientCut' ? [`client-${fault.client}`] : nodes.map(({ node }) => node);
    this.faults.push({ fault, targets, fromMs, toMs: fromMs + fault.forMs });
  }
}

/** The log grows while somebody leads; who hears nothing stays behind and catches up. */
function fillCounters(
  deafness: ReadonlyMap<DraftNode, readonly Outage[]>,
  outages: readonly Outage[],
  durationMs: number,
): void {
  let committed = 1;
  for (let atMs = 300; atMs < durationMs; atMs += SAMPLE_MS) {
    const isOut = outages.some(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
    if (!isOut) committed += Math.round(SAMPLE_MS * ENTRIES_PER_MS);
    for (const [node, deaf] of deafness) {
      if (deaf.some(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs)) continue;
      change(node.lastIndex, atMs, committed + 3);
      change(node.commit, atMs, committed);
      change(node.applied, atMs + 4, committed);
    }
  }
}

function change<T>(list: Draft<T>, atMs: number, value: T): void {
  if (list.at(-1)?.[1] !== value) list.push([atMs, value]);
}

/** What the leader says and what it hears, every so often. */
export function sampleMessages(
  chance: Chance,
  cluster: SampleCluster,
  ids: readonly string[],
  fromMs: number,
  toMs: number,
  everyMs: number,
): Message[] {
  const messages: Message[] = [];
  for (let atMs = fromMs; atMs < toMs; atMs += everyMs) {
    const leader = cluster.leaderAt(atMs);
    for (const to of ids) {
      if (to === leader) continue;
      const sentMs = atMs + chance.next() * 2;
      const lost = chance.next() < 0.06;
      const receivedMs = lost ? null : sentMs + chance.between(0.8, 6);
      const text = `term ${cluster.terms}, 3 entries after ${Math.floor(atMs * ENTRIES_PER_MS)}`;
      messages.push({ from: leader, to, type: 'append', sentMs, receivedMs, text });
      if (receivedMs === null) continue;
      const answerMs = receivedMs + 0.4;
      const arrivesMs = answerMs + chance.between(0.8, 6);
      const from = { from: to, to: leader };
      messages.push({ ...from, type: 'appendReply', sentMs: answerMs, receivedMs: arrivesMs });
    }
  }
  return messages.toSorted((a, b) => a.sentMs - b.sentMs);
}
