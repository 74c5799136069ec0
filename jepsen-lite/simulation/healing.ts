/**
 * What comes after the faults: a core of the cluster is healed while all other failures stay, and
 * must make progress; then everything is healed, and all must come to the same state.
 */
import { memberOf } from '../../src/raft/index.ts';
import type { ClientNetwork } from './client-network.ts';
import type { Place, SimulatedCluster } from './cluster.ts';
import { NodeCalls } from './node-calls.ts';
import type { Operator } from './operator.ts';
import { Dice, randomFor } from './random.ts';

/** Within so many election timeouts a healed core must take a write, and let it be read. */
const PROGRESS_TIMEOUTS = 120;
/** And all nodes be equal once everything is healed. */
const CONVERGENCE_TIMEOUTS = 300;
/**
 * In so many runs all begin again before they are compared: what a node makes of its own snapshot
 * and log has to be what it was. In the others a node that is stuck has to get loose by itself.
 */
const RESTARTS = 0.5;
const PROGRESS_KEY = 'jepsen-lite/progress';

export class Healing {
  readonly #cluster: SimulatedCluster;
  readonly #clients: ClientNetwork;
  readonly #operator: Operator;
  readonly #dice: Dice;

  constructor(cluster: SimulatedCluster, clients: ClientNetwork, operator: Operator) {
    this.#cluster = cluster;
    this.#clients = clients;
    this.#operator = operator;
    this.#dice = new Dice(randomFor(cluster.seed, 'healing'));
  }

  get #timeoutMs(): number {
    return this.#cluster.configuration.settings.electionTimeoutMs ?? 1_000;
  }

  readonly #isOver = (): boolean => this.#cluster.violations.isOver;

  /** Heals a core, leaves the rest as it is and cuts it off, and demands a write and a read. */
  async healCore(): Promise<void> {
    const { network, places, world, violations } = this.#cluster;
    // A change that is still waiting could count on voters outside of the core later.
    const { members } = this.#operator;
    members.mayOnlyHeal = true;
    await world.runUntil(
      world.now + PROGRESS_TIMEOUTS * this.#timeoutMs,
      () => !members.isWaiting || this.#isOver(),
    );
    const core = this.#chooseCore();
    const rest = [...places.keys()].filter((id) => !core.includes(id));
    world.logged(`${world.now.toFixed(1)} CORE ${core.join(' ')}`);
    network.healAll();
    for (const id of rest) {
      for (const other of core) {
        network.cut(id, other);
        network.cut(other, id);
      }
    }
    this.#operator.leave(rest);
    for (const id of core) this.#operator.heal(id);
    const done = this.#progressOf(core);
    const deadline = world.now + PROGRESS_TIMEOUTS * this.#timeoutMs;
    await world.runUntil(deadline, () => done() || this.#isOver());
    if (done()) return;
    const text = `the healed majority ${core.join(', ')} served no client within`;
    violations.report('liveness', `${text} ${PROGRESS_TIMEOUTS} election timeouts`, core);
  }

  /** Has a client write and read once, however often it takes; tells whether that succeeded. */
  #progressOf(core: readonly string[]): () => boolean {
    let isDone = false;
    const { life, registry } = this.#clients.add(core);
    const calls = new NodeCalls(this.#cluster, life);
    const isRegistry = this.#cluster.running().some((node) => node.openChannel !== undefined);
    // Of a user's state machine no command is known: a read takes an entry of the term, too.
    const probe = (): Promise<unknown> =>
      isRegistry
        ? registry.put(PROGRESS_KEY, 'made').then(() => registry.get(PROGRESS_KEY))
        : calls.barrier(this.#dice.pick(core), 'linearizable', this.#timeoutMs);
    const attempt = async (): Promise<void> => {
      while (!isDone && !this.#isOver()) {
        isDone = await probe().then(
          () => true,
          () => false,
        );
      }
    };
    this.#cluster.world.wake();
    void attempt();
    return () => isDone;
  }

  /**
   * A majority of every membership that is in force anywhere, drawn at random among those whose
   * disks are whole.
   */
  #chooseCore(): string[] {
    const places = [...this.#cluster.places.values()];
    for (const place of places) {
      place.membership = place.node?.raft.status().membership ?? place.membership;
    }
    const memberships = places.flatMap(({ membership }) => membership ?? []);
    const core: string[] = [];
    const suffices = (): boolean =>
      memberships.every((membership) =>
        [membership.voters, membership.outgoing].every((set) => {
          const healthy = set.filter((id) => {
            const { storeId } = this.#cluster.at(id);
            return core.includes(id) && memberOf(membership, id)?.storeId === storeId;
          });
          return set.length === 0 || healthy.length > set.length / 2;
        }),
      );
    // Who has gone back is helped by people only, and nobody helps yet.
    const { goneBack } = this.#operator;
    for (const { id, disk } of this.#dice.shuffled(places)) {
      if (suffices()) break;
      if (!disk.wasDamaged && !goneBack.includes(id)) core.push(id);
    }
    if (suffices()) return core;
    return places.map(({ id }) => id);
  }

  /** Heals everything and demands that all nodes come to one state. */
  async healAll(clientsDone: () => boolean): Promise<void> {
    const { network, places, world, violations } = this.#cluster;
    network.healAll();
    this.#operator.leaveNobody();
    if (this.#dice.chance(RESTARTS)) {
      for (const id of places.keys()) this.#operator.end(id, true);
    }
    for (const place of places.values()) this.#healWithDisk(place);
    const founders = [...places.values()].slice(0, this.#cluster.configuration.nodes);
    // Each by itself: clients would go elsewhere, and one that serves nobody would not show.
    const serving = founders.map(({ id }) => ({ id, serves: this.#progressOf([id]) }));
    const deadline = world.now + CONVERGENCE_TIMEOUTS * this.#timeoutMs;
    let difference: string | undefined = '';
    while (world.now < deadline && difference !== undefined && !this.#isOver()) {
      await world.runUntil(world.now + this.#timeoutMs / 2, this.#isOver);
      this.#operator.helpThoseGoneBack();
      difference = await this.#difference(clientsDone);
      const idle = serving.find(({ serves }) => !serves());
      if (idle !== undefined) difference ??= `${idle.id} has not served a client`;
    }
    if (difference === undefined) return;
    const text = `healed for ${CONVERGENCE_TIMEOUTS} election timeouts, but ${difference}`;
    violations.report('convergence', text);
  }

  /** A node whose disk may be damaged without its knowledge is made to find out. */
  #healWithDisk({ id, disk }: Place): void {
    if (disk.wasDamaged) this.#operator.end(id, false);
    this.#operator.heal(id);
  }

  /**
   * What is not as it has to be yet; undefined when all is. Members come back first: a client may
   * know no other node than one that was removed, which serves nobody until it is a member again.
   */
  async #difference(clientsDone: () => boolean): Promise<string | undefined> {
    if (!this.#operator.members.restore()) return 'the membership is not what it was';
    if (!clientsDone()) return 'a client has not come to its end';
    const running = this.#cluster.running();
    const indexes = running.map(({ raft }) => raft.appliedIndex);
    const first = indexes[0];
    if (indexes.some((index) => index !== first)) return `nodes applied ${indexes.join(', ')}`;
    if (running.some(({ raft }) => raft.status().commitIndex !== first)) return 'commits lag';
    const hashes = await Promise.all(running.map(({ application }) => application.hash()));
    if (hashes.every((hash) => hash === hashes[0])) return undefined;
    const names = running.map(({ id }) => id);
    const text = `states differ at log index ${first ?? 0}`;
    this.#cluster.violations.report('state-equal', text, names);
    return text;
  }
}
