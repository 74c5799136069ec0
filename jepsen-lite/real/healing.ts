/**
 * What comes after the faults of a round: a core of the cluster is healed while all other failures
 * stay, and must make progress; then everything is healed, and all must come to the same state.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, HoldfastError, type HoldfastClient } from '../../src/client/index.ts';
import type { DirectedLink } from '../faults/fault.ts';
import type { Dice } from '../simulation/random.ts';
import type { Violations } from '../simulation/violations.ts';
import type { Lives } from './lives.ts';
import type { Observer } from './observer.ts';
import type { Operator } from './operator.ts';
import type { ProcessCluster } from './process-cluster.ts';
import type { PeerProxies } from './proxies.ts';
import type { RealClient } from './real-client.ts';
import { coreOf } from './step-back.ts';

/** Generous, for machines that do much else. */
const PROGRESS_MS = 45_000;
const CONVERGENCE_MS = 90_000;
const POLL_MS = 200;
const VERIFY_MS = 20_000;
const PROGRESS_KEY = 'jepsen-lite/progress';

export interface HealingParts {
  readonly cluster: ProcessCluster;
  readonly proxies: PeerProxies;
  readonly clients: readonly RealClient[];
  readonly observer: Observer;
  readonly lives: Lives;
  readonly operator: Operator;
  readonly violations: Violations;
  readonly dice: Dice;
  /** The run is to end early. */
  readonly isOver: () => boolean;
}

export class Healing {
  readonly #parts: HealingParts;

  constructor(parts: HealingParts) {
    this.#parts = parts;
  }

  /** Heals a core, leaves the rest as it is and cuts it off, and demands a write. */
  async healCore(): Promise<void> {
    const { proxies, lives, operator, cluster, violations, dice } = this.#parts;
    const { founders, undamaged, isWhole } = operator;
    const core = coreOf(founders, dice.shuffled(undamaged), isWhole);
    const rest = cluster.ids.filter((id) => !core.includes(id));
    proxies.healAll();
    proxies.cut(
      rest.flatMap((id) =>
        core.flatMap((other): DirectedLink[] => [
          [id, other],
          [other, id],
        ]),
      ),
    );
    lives.leave(rest);
    for (const id of core) await lives.heal(id);
    const endpoints = core.map((id) => cluster.endpoint(id));
    const made = await this.#until(PROGRESS_MS, async () => {
      return await this.#withClient(endpoints, async ({ registry }) => {
        await registry.put(PROGRESS_KEY, core.join());
        await registry.get(PROGRESS_KEY);
        return true;
      });
    });
    if (made) return;
    const text = `the healed majority ${core.join(', ')} served no client within ${PROGRESS_MS} ms`;
    violations.report('liveness', text, core);
  }

  /** Heals everything and demands that all nodes come to one state. */
  async healAll(): Promise<void> {
    const { proxies, clients, lives, operator, violations } = this.#parts;
    proxies.healAll();
    for (const client of clients) client.heal();
    lives.leave([]);
    for (const id of operator.founders) await lives.heal(id);
    let difference: string | undefined = 'nothing was compared';
    const isEqual = async (): Promise<boolean> => {
      difference = (await operator.restore()) ?? (await this.#difference());
      return difference === undefined;
    };
    // What hides in a damaged disk must not have been served: it is replaced only afterwards.
    if (await this.#until(CONVERGENCE_MS, isEqual)) {
      await operator.replaceDamaged();
      if (operator.isWhole || (await this.#until(CONVERGENCE_MS, isEqual))) return;
    }
    const text = `healed for ${CONVERGENCE_MS} ms, but ${difference}`;
    violations.report('convergence', text);
  }

  async #difference(): Promise<string | undefined> {
    const { cluster, operator, violations } = this.#parts;
    const endpoints = operator.founders.map((id) => cluster.endpoint(id));
    const members = await this.#withClient(endpoints, async (client) => {
      return (await client.verify({ timeout: VERIFY_MS })).members;
    });
    if (members === undefined) return 'the replicas could not be compared';
    const diverged = members.filter(({ state }) => state === 'diverged');
    if (diverged.length > 0) {
      const texts = diverged.map(({ id, differences }) => {
        return `${id} (${differences.map(({ name, kind }) => `${name} ${kind}`).join(', ')})`;
      });
      const names = diverged.map(({ id }) => id);
      violations.report('state-equal', `at one log index differ ${texts.join('; ')}`, names);
    }
    const others = members.filter(({ state }) => state !== 'equal');
    if (others.length === 0) return undefined;
    return others.map(({ id, state, note }) => `${id} is ${state} ${note}`).join('; ');
  }

  async #until(patienceMs: number, ask: () => Promise<boolean | undefined>): Promise<boolean> {
    const { isOver, violations } = this.#parts;
    const deadline = performance.now() + patienceMs;
    while (!isOver() && violations.first === undefined) {
      if ((await ask()) === true) return true;
      if (performance.now() > deadline) return false;
      await sleep(POLL_MS);
    }
    // Whoever ended the run early, or found something else, has no use for another complaint.
    return true;
  }

  /** Undefined where the cluster does not answer, or not so. */
  async #withClient<T>(
    endpoints: readonly string[],
    use: (client: HoldfastClient) => Promise<T>,
  ): Promise<T | undefined> {
    const { clusterName } = this.#parts.cluster;
    try {
      await using client = await connect({ endpoints, clusterName, requestTimeout: '3s' });
      return await use(client);
    } catch (error) {
      if (error instanceof HoldfastError) return undefined;
      throw error;
    }
  }
}
