import type {
  Channel,
  Request,
  Response,
  StatusReport,
  WatchFilter,
} from '../../../src/protocol/index.ts';
import { unreachable } from '../../../src/base/index.ts';
import {
  decodeCommand,
  encodeEvents,
  encodeQuery,
  RegistryStateMachine,
  type DecodedCommand,
  type Revision,
  type RevisionEvents,
} from '../../../src/registry/index.ts';
import type { EndpointEvents } from '../../../src/client/link.ts';
import type { VirtualTime } from './virtual-time.ts';

type RequestOf<Type extends Request['type']> = Extract<Request, { type: Type }>;
type ErrorResponse = Extract<Response, { type: 'error' }>;

/** What becomes of one request on its way there and back. */
export type Fate =
  | { readonly type: 'served' }
  /** Never arrives; the connection lives on. */
  | { readonly type: 'lost' }
  /** Is carried out, and its answer lost with the connection. */
  | { readonly type: 'cutAfter' }
  /** Is lost with the connection. */
  | { readonly type: 'cutBefore' }
  /** Is carried out twice: once more after a while. */
  | { readonly type: 'repeated'; readonly afterMs: number }
  /** Is carried out; its answer comes when the test hands it over. */
  | { readonly type: 'held' }
  /** Is carried out, but whoever answers does not know that. */
  | { readonly type: 'doubted' }
  | { readonly type: 'refused'; readonly code: string };

/** A cluster as its clients see it: several nodes, one registry, and whatever can go wrong. */
export class FakeCluster {
  readonly time: VirtualTime;
  readonly registry: RegistryStateMachine = new RegistryStateMachine();
  readonly nodes: Map<string, FakeNode> = new Map();
  /** Address of the leader; '' for none. */
  leader = '';
  /** Commands in the order applied. */
  readonly applied: DecodedCommand[] = [];
  /** Bytes of events handed to watches so far. */
  sentToWatches = 0;
  /** Waits for a lock that were answered so far. */
  grantsTold = 0;
  #index = 0;
  /** Hand over the answers of requests whose fate was `held`, in the order in which those came. */
  readonly held: (() => void)[] = [];
  /** Decides each request's fate. */
  fateOf: (request: Request, node: FakeNode) => Fate = () => ({ type: 'served' });
  latencyMs: () => number = () => 1;

  constructor(time: VirtualTime, addresses: readonly string[]) {
    this.time = time;
    for (const address of addresses) this.nodes.set(address, new FakeNode(this, address));
    this.leader = addresses[0] ?? '';
    this.registry.leaderSide.elected(time.now());
    this.#tickLater();
  }

  readonly open = (address: string, events: EndpointEvents): Channel => {
    const node = this.nodes.get(address);
    const channel = new FakeChannel(this, node, events);
    this.time.setTimer(this.latencyMs(), () => {
      if (node === undefined) channel.cut('no such host');
      else if (node.state === 'refusing') channel.cut('connection refused');
      else if (node.state === 'wrong-cluster') channel.cut('another cluster', 'wrong-cluster');
      else if (node.state === 'up') channel.accept();
    });
    return channel;
  };

  node(address: string): FakeNode {
    const node = this.nodes.get(address);
    if (node === undefined) throw new Error(`no node ${address}`);
    return node;
  }

  apply(command: Uint8Array): Uint8Array {
    this.applied.push(decodeCommand(command));
    const context = { index: ++this.#index, term: 1, time: this.time.now() };
    const result = this.registry.apply(command, context);
    for (const node of this.nodes.values()) node.pump();
    return result;
  }

  /** Another node leads: sessions get their full TTL again. */
  elect(address: string): void {
    this.leader = address;
    if (address !== '') this.registry.leaderSide.elected(this.time.now());
    for (const node of this.nodes.values()) node.tellLeader();
  }

  /** Commands applied with this type. */
  count(type: DecodedCommand['command']['type']): number {
    return this.applied.filter(({ command }) => command.type === type).length;
  }

  #tickLater(): void {
    this.time.setTimer(100, () => {
      this.#tickLater();
      if (this.leader === '') return;
      const due = this.registry.leaderSide.due(this.time.now());
      if (due !== undefined) this.apply(due);
    });
  }
}

export class FakeNode {
  readonly address: string;
  /** `silent`: takes connections in and never says a word. */
  state: 'up' | 'refusing' | 'wrong-cluster' | 'silent' = 'up';
  /** What it has applied, for watches: everything, unless it is held back. */
  heldBackAt: number | undefined = undefined;
  /** A watch begins so many revisions earlier than asked for. */
  rewinds = 0;
  readonly channels: Set<FakeChannel> = new Set();
  readonly #cluster: FakeCluster;

  constructor(cluster: FakeCluster, address: string) {
    this.#cluster = cluster;
    this.address = address;
  }

  get revision(): number {
    return Math.min(this.heldBackAt ?? Infinity, this.#cluster.registry.revision);
  }

  cutAll(reason = 'connection reset'): void {
    for (const channel of this.channels) channel.cut(reason);
  }

  goDown(): void {
    this.state = 'refusing';
    this.cutAll();
  }

  tellLeader(): void {
    for (const channel of this.channels) channel.tellLeader();
  }

  pump(): void {
    for (const channel of this.channels) channel.pump();
  }
}

interface FakeWatch {
  readonly request: RequestOf<'watch'>;
  next: number;
  credit: number;
  /** Asked to say so once it is past this revision. */
  markAt: number | undefined;
}

export class FakeChannel implements Channel {
  /** Requests that came in, in order. */
  readonly received: Request[] = [];
  readonly #cluster: FakeCluster;
  readonly #node: FakeNode | undefined;
  readonly #events: EndpointEvents;
  readonly #watches = new Map<number, FakeWatch>();
  readonly #grants = new Map<number, RequestOf<'awaitGrant'>>();
  readonly #cancelled = new Set<number>();
  #over = false;

  constructor(cluster: FakeCluster, node: FakeNode | undefined, events: EndpointEvents) {
    this.#cluster = cluster;
    this.#node = node;
    this.#events = events;
  }

  accept(): void {
    if (this.#over || this.#node === undefined) return;
    this.#node.channels.add(this);
    this.#events.opened(this.#node.address);
    this.tellLeader();
  }

  tellLeader(): void {
    this.#respond({ type: 'leader', id: 0, address: this.#cluster.leader });
  }

  send(request: Request): void {
    this.received.push(request);
    const { time, latencyMs } = this.#cluster;
    time.setTimer(latencyMs(), () => this.#arrive(request));
  }

  close(): void {
    this.#over = true;
    this.#node?.channels.delete(this);
  }

  cut(reason: string, code?: 'wrong-cluster'): void {
    if (this.#over) return;
    this.close();
    this.#events.closed(reason, code);
  }

  pump(): void {
    for (const [id, watch] of this.#watches) this.#pumpWatch(id, watch);
    this.#tellOfGrants();
  }

  /** A node that is held back knows of no change. */
  #tellOfGrants(): void {
    const { registry } = this.#cluster;
    if (this.#node === undefined || this.#node.revision < registry.revision) return;
    for (const [id, place] of this.#grants) {
      if (this.#over || registry.standingOf(place) === 'waits') continue;
      this.#grants.delete(id);
      this.#cluster.grantsTold++;
      const payload = registry.query(encodeQuery({ ...place, type: 'lockPlace' }));
      this.#respond({ type: 'ok', id, payload });
    }
  }

  #arrive(request: Request): void {
    const node = this.#node;
    if (this.#over || node === undefined || node.state === 'silent') return;
    if (request.type === 'cancel') {
      this.#watches.delete(request.id);
      this.#grants.delete(request.id);
      this.#cancelled.add(request.id);
      return;
    }
    if (request.type === 'watchCredit') {
      const watch = this.#watches.get(request.id);
      if (watch !== undefined) watch.credit += request.bytes;
      this.pump();
      return;
    }
    if (request.type === 'watchProgress') {
      this.#markAt(request.id, request.revision);
      return;
    }
    this.#meet(request, this.#cluster.fateOf(request, node));
  }

  #meet(request: Request, fate: Fate): void {
    switch (fate.type) {
      case 'served':
        this.#serve(request);
        return;
      case 'lost':
        return;
      case 'cutBefore':
        this.cut('connection reset');
        return;
      case 'cutAfter':
        this.#execute(request);
        this.cut('connection reset');
        return;
      case 'repeated':
        this.#serve(request);
        this.#cluster.time.setTimer(fate.afterMs, () => this.#execute(request));
        return;
      case 'held': {
        const response = this.#execute(request);
        if (response !== undefined) this.#cluster.held.push(() => this.#respond(response));
        return;
      }
      case 'doubted':
        this.#execute(request);
        this.#refuse(request, 'timeout', 'unknown');
        return;
      case 'refused':
        this.#refuse(request, fate.code, 'not-applied');
        return;
      default:
        unreachable(fate);
    }
  }

  #serve(request: Request): void {
    const needsLeader = !['status', 'watch', 'awaitGrant'].includes(request.type);
    if (needsLeader && this.#cluster.leader === '') {
      this.#refuse(request, 'no-leader', 'not-applied');
      return;
    }
    if (request.type === 'watch') {
      this.#openWatch(request);
      return;
    }
    if (request.type === 'awaitGrant') {
      this.#grants.set(request.id, request);
      this.#tellOfGrants();
      return;
    }
    const response = this.#execute(request);
    if (response === undefined) return;
    this.#cluster.time.setTimer(this.#cluster.latencyMs(), () => this.#respond(response));
  }

  #execute(request: Request): Response | undefined {
    const { registry, time } = this.#cluster;
    const { id } = request as { id: number };
    switch (request.type) {
      case 'propose':
        return { type: 'ok', id, payload: this.#cluster.apply(request.command) };
      case 'query':
        return { type: 'ok', id, payload: registry.query(request.query) };
      case 'leaderQuery':
        return { type: 'ok', id, payload: registry.leaderSide.query(request.query, time.now()) };
      case 'status':
        return { type: 'status', id, status: this.#status() };
      case 'watch':
      case 'awaitGrant':
      case 'watchCredit':
      case 'backup':
      case 'watchProgress':
      case 'cancel':
      case 'member':
      case 'transfer':
      case 'maintain':
        return undefined;
      default:
        return unreachable(request);
    }
  }

  #refuse(request: Request, code: string, outcome: ErrorResponse['outcome']): void {
    const { leader, time, latencyMs } = this.#cluster;
    const { id } = request as { id: number };
    const response = {
      type: 'error',
      id,
      code,
      message: `refused: ${code}`,
      outcome,
      leader,
    } as const;
    time.setTimer(latencyMs(), () => this.#respond(response));
  }

  #respond(response: Response): void {
    if (this.#over || this.#cancelled.has(response.id)) return;
    this.#events.response(response);
  }

  #openWatch(request: RequestOf<'watch'>): void {
    const node = this.#node;
    if (node === undefined) return;
    const from = request.from === 0 ? node.revision + 1 : request.from;
    const watch = {
      request,
      next: Math.max(1, from - node.rewinds),
      credit: 1_048_576,
      markAt: undefined,
    };
    this.#watches.set(request.id, watch);
    this.#respond({ type: 'watchStarted', id: request.id, revision: from - 1 });
    this.#pumpWatch(request.id, watch);
  }

  #markAt(id: number, revision: number): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    watch.markAt = revision;
    this.#pumpWatch(id, watch);
  }

  #pumpWatch(id: number, watch: FakeWatch): void {
    this.#pumpEvents(id, watch);
    if (watch.markAt === undefined || watch.next <= watch.markAt || this.#over) return;
    watch.markAt = undefined;
    const payload = encodeEvents([{ revision: (watch.next - 1) as Revision, events: [] }]);
    this.#respond({ type: 'watchEvents', id, payload });
  }

  #pumpEvents(id: number, watch: FakeWatch): void {
    const { registry } = this.#cluster;
    const { start, end, filter } = watch.request;
    const revision = this.#node?.revision ?? 0;
    while (watch.next <= revision && watch.credit > 0 && !this.#over) {
      const part = registry.eventsSince(watch.next as Revision, start, end, 3);
      if (part.type === 'compacted') {
        this.#watches.delete(id);
        const resumeFrom = part.compactRevision + 1;
        const ended = {
          type: 'watchEnded',
          code: 'compacted',
          message: 'history is gone',
        } as const;
        this.#respond({ ...ended, id, resumeFrom });
        return;
      }
      const events = wanted(part.events, filter).filter((one) => one.revision <= revision);
      watch.next = Math.min(part.next, revision + 1);
      if (events.length === 0) continue;
      const payload = encodeEvents(events, filter.previous);
      watch.credit -= payload.length;
      this.#cluster.sentToWatches += payload.length;
      this.#respond({ type: 'watchEvents', id, payload });
    }
  }

  #status(): StatusReport {
    const { leader, registry } = this.#cluster;
    const address = this.#node?.address ?? '';
    return {
      id: address,
      address,
      role: leader === address ? 'leader' : 'follower',
      term: 1,
      leader,
      leaderAddress: leader,
      commitIndex: 0,
      appliedIndex: 0,
      snapshotIndex: 0,
      lastIndex: 0,
      revision: registry.revision,
      store: 'memory',
      storeId: '',
      clusterName: 'fake',
      clusterId: '',
      unhealthy: '',
      members: [],
    };
  }
}

function wanted(revisions: readonly RevisionEvents[], filter: WatchFilter): RevisionEvents[] {
  const { types, causes } = filter;
  return revisions
    .map(({ revision, events }) => ({
      revision,
      events: events.filter(
        (event) =>
          (types === 'all' || types === event.type) &&
          (causes.length === 0 || causes.includes(event.cause)),
      ),
    }))
    .filter(({ events }) => events.length > 0);
}
