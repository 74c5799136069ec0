import { z } from 'zod';
import { HoldfastError, optionNames } from '../base/index.ts';
import { NodeControls, patience, type EmbeddedNode, type WaitOptions } from './embedded-node.ts';
import {
  createNode,
  systemEnvironment,
  type Answer,
  type Consistency,
  type RaftNode,
  type StateMachine,
} from '../node/index.ts';
import { describeIssues } from '../protocol/index.ts';
import {
  resolveOptions,
  type ResolvedOptions,
  type ServerOptions,
} from '../server/server-options.ts';
import { resolvePort, startError } from '../server/start-server.ts';
import { TcpTransport } from '../transport/index.ts';

export interface QueryOptions extends WaitOptions {
  /** `linearizable` by default. */
  readonly consistency?: Consistency;
}

/** A node in this process that replicates a state machine of your own. */
export interface StateMachineNode extends EmbeddedNode {
  /**
   * Replicates one command; resolves to what the state machine returned for it, once it is durable
   * on a majority. Not retried: when the outcome of a failure is `unknown` only you can tell
   * whether to propose it again.
   */
  propose(command: Uint8Array, options?: WaitOptions): Promise<Uint8Array>;
  /** Asks this node's state machine, once it is as fresh as `consistency` demands. */
  query(request: Uint8Array, options?: QueryOptions): Promise<Uint8Array>;
  /** A node with a state machine of its own has no registry. */
  readonly registry?: never;
}

const QUERY_NAMES = optionNames<QueryOptions>({ timeout: true, consistency: true });

type Options = ServerOptions & { readonly stateMachine: StateMachine };

const callable = z.custom<() => unknown>((value) => typeof value === 'function');
const shape = z.looseObject(
  { apply: callable, query: callable, snapshot: callable, restore: callable },
  'a state machine has the methods apply, query, snapshot and restore',
);

export async function startStateMachineNode(options: Options): Promise<StateMachineNode> {
  const { signal, stateMachine } = options;
  const checked = shape.safeParse(stateMachine);
  if (!checked.success) {
    const issues = describeIssues(checked.error);
    throw new HoldfastError('invalid-argument', `stateMachine: ${issues}`);
  }
  if (signal?.aborted === true) throw startError(undefined, signal);
  const node = new MachineNode(options, await resolvePort(resolveOptions(options)));
  const abort = (): void => void node.stop();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await node.begin();
  } catch (error) {
    await node.stop();
    throw startError(error, signal);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return node;
}

class MachineNode extends NodeControls implements StateMachineNode {
  readonly address: string;
  readonly stopped: Promise<HoldfastError | undefined>;
  readonly #node: RaftNode;
  readonly #machine: StateMachine;
  #over: (why: HoldfastError | undefined) => void = () => {};

  constructor(options: Options, resolved: ResolvedOptions) {
    const node = assemble(options, resolved, (why) => this.#over(why));
    super(() => node);
    this.#node = node;
    this.#machine = options.stateMachine;
    this.address = resolved.address;
    this.stopped = new Promise((resolve) => {
      this.#over = resolve;
    });
  }

  begin(): Promise<void> {
    return this.#node.start();
  }

  propose(command: Uint8Array, options?: WaitOptions): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const done = (answer: Answer): void => {
        if (answer.type === 'ok') resolve(answer.payload);
        else reject(answer.error);
      };
      this.#node.propose(bytes(command, 'a command'), done, patience(options));
    });
  }

  query(request: Uint8Array, options: QueryOptions = {}): Promise<Uint8Array> {
    const { consistency = 'linearizable' } = options;
    return new Promise((resolve, reject) => {
      const done = (error: HoldfastError | undefined): void => {
        if (error !== undefined) {
          reject(error);
          return;
        }
        try {
          resolve(this.#machine.query(request));
        } catch (thrown) {
          reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
        }
      };
      bytes(request, 'a query');
      this.#node.readBarrier(consistency, done, patience(options, QUERY_NAMES));
    });
  }

  protected async shutDown(): Promise<void> {
    await this.#node.stop();
    this.#over(undefined);
  }
}

function assemble(
  options: Options,
  resolved: ResolvedOptions,
  onFatal: (why: HoldfastError) => void,
): RaftNode {
  const { tls, store, stateMachine } = options;
  const { id, clusterName, address, peers, routes, settings, listen } = resolved;
  const environment = options.environment ?? systemEnvironment(options.log ?? (() => undefined));
  const secured =
    tls === undefined ? {} : { tls: { ...tls, requestClientCertificate: tls.ca !== undefined } };
  const transport = new TcpTransport({ ...listen, environment, routes, ...secured });
  return createNode({
    id,
    clusterName,
    address,
    peers,
    store,
    transport,
    stateMachine,
    environment,
    settings,
    onFatal,
  });
}

function bytes(value: Uint8Array, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new HoldfastError('invalid-argument', `${what} is a Uint8Array`);
}
