/** Calls of a client to nodes that serve no registry: to their Raft node itself, with delays. */
import { HoldfastError } from '../../src/base/index.ts';
import type { Answer, Consistency } from '../../src/node/index.ts';
import type { SimulatedCluster } from './cluster.ts';
import type { Life } from './life.ts';
import type { SimulatedNode } from './node.ts';

const FRESH: Answer = { type: 'ok', payload: new Uint8Array(0) };

/** What a state machine throws is the caller's answer. */
function askedOf({ application }: SimulatedNode, request: Uint8Array): Answer {
  try {
    return { type: 'ok', payload: application.stateMachine.query(request) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { type: 'error', error: new HoldfastError('invalid-argument', text, { cause: error }) };
  }
}

export class NodeCalls {
  readonly #cluster: SimulatedCluster;
  readonly #life: Life;

  constructor(cluster: SimulatedCluster, life: Life) {
    this.#cluster = cluster;
    this.#life = life;
  }

  /** Of all nodes there are. */
  nodes(): readonly string[] {
    return [...this.#cluster.places.keys()];
  }

  /** Resolves to the state machine's result. Rejects with `HoldfastError`, as a network would. */
  propose(id: string, command: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return this.#call(id, timeoutMs, 'unknown', (node, done) => {
      node.raft.propose(command, done, { timeoutMs });
    });
  }

  /** Resolves once the node's state is as fresh as wanted. */
  async barrier(id: string, consistency: Consistency, timeoutMs: number): Promise<void> {
    await this.#call(id, timeoutMs, 'not-applied', (node, done) => {
      const answer = (error: HoldfastError | undefined): void =>
        done(error === undefined ? FRESH : { type: 'error', error });
      node.raft.readBarrier(consistency, answer, { timeoutMs });
    });
  }

  /** Asks the state machine of a node, once that is as fresh as wanted. */
  query(
    id: string,
    request: Uint8Array,
    consistency: Consistency,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    return this.#call(id, timeoutMs, 'not-applied', (node, done) => {
      const answer = (error: HoldfastError | undefined): void => {
        done(error === undefined ? askedOf(node, request) : { type: 'error', error });
      };
      node.raft.readBarrier(consistency, answer, { timeoutMs });
    });
  }

  #call(
    id: string,
    timeoutMs: number,
    outcome: 'unknown' | 'not-applied',
    begin: (node: SimulatedNode, done: (answer: Answer) => void) => void,
  ): Promise<Uint8Array> {
    const { world, network, places } = this.#cluster;
    const random = (): number => this.#life.random();
    return new Promise((resolve, reject) => {
      const settle = (answer: Answer): void => {
        cancel();
        if (answer.type === 'ok') resolve(answer.payload);
        else reject(answer.error);
      };
      const back = (answer: Answer): void => {
        world.after(network.latencyMs(random), () => this.#life.run(() => settle(answer)));
      };
      const fail = (text: string, known: 'unknown' | 'not-applied'): void => {
        const error = new HoldfastError('connection-lost', text, { outcome: known });
        settle({ type: 'error', error });
      };
      const cancel = this.#life.setTimer(timeoutMs, () => fail(`no answer of ${id}`, outcome));
      world.after(network.latencyMs(random), () => {
        const node = places.get(id)?.node;
        if (node?.isStarted === true) node.life.run(() => begin(node, back));
        else this.#life.run(() => fail(`${id} is away`, 'not-applied'));
      });
    });
  }
}
