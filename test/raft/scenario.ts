/** The command language of the scenarios: each command acts on a cluster and prints what came. */
import { invariant } from '../../src/base/index.ts';
import type {
  Entry,
  LogIndex,
  Message,
  NodeId,
  RaftCore,
  RaftOptions,
  Term,
} from '../../src/raft/index.ts';
import { Cluster } from './cluster.ts';
import { targetOf } from './member-target.ts';
import { describeMessage, describeStatus, entryText } from './describe.ts';
import { expectation } from './scenario-expect.ts';

const ALPHABET = 'abcdefghi';
const DEFAULT_ELECTION_TICKS = 10;
/** Long timeouts for everyone: only those a scenario ticks long enough campaign. */
const PATIENCE = 0.999;

type Command = (words: readonly string[]) => readonly string[] | undefined;

export class Scenario {
  #cluster: Cluster | undefined;
  #output: string[] = [];
  #electionTicks = DEFAULT_ELECTION_TICKS;
  readonly #stash = new Map<string, Message[]>();
  readonly #commands: Readonly<Record<string, Command>> = {
    cluster: (words) => this.#create(words),
    log: (words) => this.#plant(words),
    start: (words) => this.#start(words),
    restart: (words) => this.#start(words),
    join: ([id]) => this.#act(() => this.cluster.join(node(id))),
    tick: (words) => this.#tick(words),
    campaign: ([id]) => this.#campaign(node(id)),
    elect: ([id]) => this.#elect(node(id)),
    propose: ([id, ...commands]) => this.#propose(node(id), commands),
    deliver: (words) => this.#deliver(words),
    drop: (words) => this.#drop(words),
    duplicate: (words) => this.#duplicate(words),
    reverse: (words) => this.#reverse(words),
    stash: (words) => this.#stashAway(words),
    unstash: (words) => this.#unstash(words),
    settle: () => this.#act(() => this.cluster.settle()),
    disk: (words) => this.#disk(words),
    crash: ([id, kept]) => this.#act(() => this.cluster.crash(node(id), Number(kept ?? 0))),
    wipe: ([id]) => this.#act(() => this.cluster.wipe(node(id))),
    partition: (words) => this.#partition(words),
    cut: ([link]) => this.#cut(link ?? ''),
    heal: () => this.#act(() => this.cluster.network.heal()),
    read: ([id, context]) => this.#act(() => this.cluster.read(node(id), Number(context))),
    lease: ([id]) => [`lease read at ${this.cluster.leaseRead(node(id)) ?? 'none'}`],
    transfer: ([id, to]) => this.#transfer(node(id), node(to)),
    member: (words) => this.#member(words),
    snapshot: ([id]) => this.#act(() => void this.cluster.node(node(id)).takeSnapshot()),
    compact: ([id, index]) => this.#compact(node(id), Number(index)),
    campaigns: ([id, allowed]) => this.#campaigns(node(id), allowed === 'allowed'),
    unreachable: ([id, peer]) =>
      this.#act(() => this.#input(node(id), (raft) => raft.peerUnreachable(node(peer)))),
    status: ([id]) => this.#status(id),
    show: ([what]) => (what === 'network' ? this.#network() : this.#log(node(what))),
    expect: (words) => expectation(this.cluster, words),
  };

  get cluster(): Cluster {
    invariant(this.#cluster !== undefined, 'a scenario begins with `cluster`');
    return this.#cluster;
  }

  /** Runs one line; returns what it printed. Throws when an expectation or an invariant fails. */
  run(line: string): readonly string[] {
    const words = line.split(/\s+/);
    const quiet = words[0] === 'quiet';
    const [name, ...rest] = quiet ? words.slice(1) : words;
    const command = this.#commands[name ?? ''];
    invariant(command !== undefined, 'no such command', line);
    this.#output = [];
    const result = command(rest) ?? [];
    return quiet ? [] : [...this.#output, ...result];
  }

  /** Does something, then lets every disk that is not held finish. */
  #act(action: () => void): undefined {
    action();
    this.#finishDisks();
    return undefined;
  }

  #finishDisks(): void {
    let worked = true;
    while (worked) {
      worked = false;
      for (const id of this.cluster.nodes.keys()) {
        worked = this.cluster.finishDisk(id) || worked;
      }
    }
  }

  #input(id: NodeId, action: (raft: RaftCore) => void): void {
    this.cluster.node(id).input(action);
  }

  /** `cluster 3 [stopped] [learners=d] [electionTicks=5] ...` */
  #create(words: readonly string[]): undefined {
    const [size, ...rest] = words;
    const options: Record<string, number> = {};
    let learners: NodeId[] = [];
    let chunkBytes = 16;
    for (const word of rest) {
      const [key, value] = word.split('=');
      if (value === undefined || key === undefined) continue;
      if (key === 'learners') learners = nodes(value);
      else if (key === 'chunkBytes') chunkBytes = Number(value);
      else options[key] = Number(value);
    }
    const settings: Partial<RaftOptions> = options;
    this.#electionTicks = settings.electionTicks ?? DEFAULT_ELECTION_TICKS;
    this.#cluster = new Cluster({
      voters: ALPHABET.slice(0, Number(size)).split('') as NodeId[],
      learners,
      options: settings,
      random: () => PATIENCE,
      chunkBytes,
      trace: (line) => void this.#output.push(line),
    });
    if (rest.includes('stopped')) return undefined;
    return this.#act(() => this.cluster.startAll());
  }

  /** `log b 1 1 4 term 6 [vote a]`: a disk with entries of these terms. */
  #plant(words: readonly string[]): undefined {
    const [id, ...rest] = words;
    const word = (name: string): string | undefined => {
      const at = rest.indexOf(name);
      return at < 0 ? undefined : rest[at + 1];
    };
    const terms = rest.slice(0, Math.max(rest.indexOf('term'), 0) || rest.length).map(Number);
    const entries = terms.map((term, i): Entry => plantedEntry(i + 1, term));
    const term = Number(word('term') ?? terms.at(-1) ?? 0) as Term;
    const votedFor = word('vote') as NodeId | undefined;
    this.cluster.node(node(id)).disk.plant(entries, { term, votedFor });
    return undefined;
  }

  #start(words: readonly string[]): undefined {
    return this.#act(() => {
      if (words.length === 0) this.cluster.startAll();
      for (const id of words) this.cluster.start(node(id));
    });
  }

  /** `tick a 3`, `tick all`, `tick a,b 2`. */
  #tick([who, times]: readonly string[]): undefined {
    for (let i = 0; i < Number(times ?? 1); i++) {
      for (const id of this.#named(who)) this.#act(() => this.cluster.tick(id));
    }
    return undefined;
  }

  #named(who: string | undefined): NodeId[] {
    return who === 'all' ? this.cluster.alive().map((one) => one.id) : nodes(who ?? '');
  }

  /** Lets time pass at one node until it campaigns. */
  #campaign(id: NodeId): undefined {
    for (let i = 0; i < 2 * this.#electionTicks; i++) {
      if (this.cluster.core(id).role !== 'follower') break;
      this.#act(() => this.cluster.tick(id));
    }
    const { role } = this.cluster.core(id);
    invariant(role !== 'follower', 'the node does not campaign', id);
    return undefined;
  }

  /** Lets everyone forget the leader, one node campaign, and everything be delivered. */
  #elect(id: NodeId): undefined {
    for (let i = 0; i < this.#electionTicks; i++) {
      for (const other of this.cluster.alive()) {
        if (other.id !== id && other.raft?.role === 'follower') this.cluster.tick(other.id);
      }
    }
    this.#campaign(id);
    this.cluster.settle();
    const { role } = this.cluster.core(id);
    invariant(role === 'leader', 'the node was not elected', { id, role });
    return undefined;
  }

  #propose(id: NodeId, commands: readonly string[]): string[] {
    const expanded = commands.map((text) => {
      const [head, length] = text.split('*');
      return length === undefined ? text : (head ?? '').padEnd(Number(length), '.');
    });
    const result = this.cluster.propose(id, expanded);
    invariant(result !== undefined, 'the node is down', id);
    this.#finishDisks();
    if (result.type === 'refused') return [`refused: ${result.reason}`];
    const { count, firstIndex, term } = result;
    return count === expanded.length
      ? [`appended at ${firstIndex}/${term}`]
      : [`appended ${count} of ${expanded.length} at ${firstIndex}/${term}`];
  }

  /** The links of `a->b`, `a->*` or `*->b`. */
  #links(link: string | undefined): { readonly from: NodeId; readonly to: NodeId }[] {
    const [from, to] = (link ?? '*->*').split('->');
    return this.cluster.network.links().filter((one) => fits(from, one.from) && fits(to, one.to));
  }

  /** `deliver a->b 2`: two; without a number: what is in flight now, and nothing that follows. */
  #deliver([link, count]: readonly string[]): undefined {
    for (const { from, to } of this.#links(link)) {
      const waiting = this.cluster.network.link(from, to);
      const wanted = Number(count ?? waiting.queue.length);
      for (let i = 0; i < wanted && !waiting.cut; i++) {
        this.#act(() => void this.cluster.deliver(from, to));
      }
    }
    return undefined;
  }

  #drop([link, count]: readonly string[]): undefined {
    for (const { from, to } of this.#links(link)) {
      const { queue } = this.cluster.network.link(from, to);
      queue.splice(0, Number(count ?? queue.length));
    }
    return undefined;
  }

  /** A copy of the first message goes to the end of its queue. */
  #duplicate([link]: readonly string[]): undefined {
    for (const { from, to } of this.#links(link)) {
      const { queue } = this.cluster.network.link(from, to);
      if (queue[0] !== undefined) queue.push(queue[0]);
    }
    return undefined;
  }

  #reverse([link]: readonly string[]): undefined {
    for (const { from, to } of this.#links(link)) {
      this.cluster.network.link(from, to).queue.reverse();
    }
    return undefined;
  }

  /** Delays the first messages of a link until `unstash`. */
  #stashAway([link, count]: readonly string[]): undefined {
    for (const { from, to } of this.#links(link)) {
      const { queue } = this.cluster.network.link(from, to);
      this.#stash.set(`${from}->${to}`, queue.splice(0, Number(count ?? queue.length)));
    }
    return undefined;
  }

  #unstash([link]: readonly string[]): undefined {
    for (const { from, to } of this.#links(link)) {
      const { queue } = this.cluster.network.link(from, to);
      queue.push(...(this.#stash.get(`${from}->${to}`) ?? []));
      this.#stash.delete(`${from}->${to}`);
    }
    return undefined;
  }

  /** `disk a hold`, `disk a release`, `disk a complete 1`, `disk a task`. */
  #disk([id, what, count]: readonly string[]): undefined {
    const target = this.cluster.node(node(id));
    if (what === 'complete') target.completeWrites(Number(count ?? 1));
    else if (what === 'task') target.runTask(0);
    else target.diskHeld = what === 'hold';
    this.#finishDisks();
    return undefined;
  }

  /** `partition a | b c` */
  #partition(words: readonly string[]): undefined {
    const groups = words
      .join(' ')
      .split('|')
      .map((group) => nodes(group.trim().replaceAll(' ', ',')));
    this.cluster.network.partition([...this.cluster.nodes.keys()], groups);
    return undefined;
  }

  #cut(link: string): undefined {
    const [from, to] = link.split('->');
    this.cluster.network.link(node(from), node(to)).cut = true;
    return undefined;
  }

  #transfer(id: NodeId, to: NodeId): string[] {
    const result = this.cluster.transfer(id, to);
    this.#finishDisks();
    return [result?.type === 'refused' ? `refused: ${result.reason}` : 'started'];
  }

  /** `member a add d`, `... add-learner d`, `... promote d`, `... remove b`, `... voters=d,e,f` */
  #member([id, what, ...ids]: readonly string[]): string[] {
    const [change, list] = (what ?? '').split('=');
    const named = list === undefined ? ids.join(',') : list;
    const target = targetOf(
      this.cluster,
      node(id),
      change === 'voters' ? 'set' : (change ?? ''),
      nodes(named),
    );
    const result = this.cluster.changeMembership(node(id), target);
    invariant(result !== undefined, 'the node is down', id);
    this.#finishDisks();
    return [
      result.type === 'refused'
        ? `refused: ${result.reason}`
        : `appended at ${result.index}/${result.term}`,
    ];
  }

  #compact(id: NodeId, index: number): undefined {
    return this.#act(() => this.#input(id, (raft) => raft.compact(index as LogIndex)));
  }

  #campaigns(id: NodeId, allowed: boolean): undefined {
    return this.#act(() => this.#input(id, (raft) => raft.setCampaignAllowed(allowed)));
  }

  #status(id: string | undefined): string[] {
    const shown = id === undefined ? this.cluster.alive() : [this.cluster.node(node(id))];
    return shown.flatMap((one) =>
      one.raft === undefined ? [] : describeStatus(one.raft.status()),
    );
  }

  #network(): string[] {
    return this.cluster.network.links().flatMap((link) => link.queue.map(describeMessage));
  }

  #log(id: NodeId): string[] {
    const { disk } = this.cluster.node(id);
    return [`durable: ${disk.entries.map(entryText).join(', ') || 'nothing'}`];
  }
}

/** Whether one side of a link pattern means this node. */
function fits(pattern: string | undefined, id: NodeId): boolean {
  return pattern === '*' || pattern === id;
}

function node(word: string | undefined): NodeId {
  invariant(word !== undefined && word !== '', 'a node is missing');
  return word as NodeId;
}

function nodes(list: string): NodeId[] {
  return list.split(',').filter((id) => id !== '') as NodeId[];
}

function plantedEntry(index: number, term: number): Entry {
  return {
    index: index as LogIndex,
    term: term as Term,
    time: 0,
    type: 'command',
    data: Uint8Array.from(`${index}.${term}`, (char) => char.charCodeAt(0)),
    recorded: undefined,
  };
}
