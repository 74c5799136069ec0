import { HoldfastError, optionNames, refuseUnknownOptions } from '../base/index.ts';
import type { RegistryOptions } from '../client/index.ts';
import { startRegistryNode, type HoldfastNode } from './registry-node.ts';
import type { ServerOptions } from '../server/index.ts';
import { startStateMachineNode, type StateMachineNode } from './state-machine-node.ts';
import type { StateMachine } from '../node/index.ts';

/** What every node is started with. */
export interface StartOptions extends Omit<ServerOptions, 'peers' | 'limits' | 'serviceLimits'> {
  /**
   * Every founding node with its address, this one included: the same list on each. Absent: this
   * node is a cluster of its own. Empty: it joins a cluster that exists, once a member was told.
   */
  readonly peers?: Readonly<Record<string, string>>;
}

/** A node of the locking registry. */
export interface RegistryNodeOptions
  extends StartOptions, Pick<ServerOptions, 'limits' | 'serviceLimits'> {
  /** How this node's own `registry` behaves. */
  readonly registry?: RegistryOptions;
  readonly stateMachine?: undefined;
}

/** A node of a state machine of your own. */
export interface StateMachineNodeOptions extends StartOptions {
  /** The same class, with the same configuration, on every node. */
  readonly stateMachine: StateMachine;
  readonly registry?: undefined;
}

const ofStart: Readonly<Record<keyof StartOptions, true>> = {
  id: true,
  listen: true,
  advertise: true,
  peers: true,
  routes: true,
  clusterName: true,
  store: true,
  settings: true,
  tls: true,
  log: true,
  environment: true,
  signal: true,
};
const REGISTRY_NAMES = optionNames<RegistryNodeOptions>({
  ...ofStart,
  limits: true,
  serviceLimits: true,
  registry: true,
  stateMachine: true,
});
const MACHINE_NAMES = optionNames<StateMachineNodeOptions>({
  ...ofStart,
  registry: true,
  stateMachine: true,
});

/**
 * Starts a node in this process. Resolves when it takes part in its cluster (the first start of a
 * cluster waits until all founding nodes have met); it may not have a leader yet.
 *
 * @throws HoldfastError `invalid-argument` for options that break a rule, `address-in-use`,
 * `data-directory`, `data-in-use`, `corrupt-data`, `configuration-mismatch` when peers or the
 * stored membership disagree with the options, `aborted` when `signal` ended the start.
 * @example
 * await using node = await Holdfast.start({
 *   id: 'a',
 *   listen: '10.0.0.1:7400',
 *   peers: { a: '10.0.0.1:7400', b: '10.0.0.2:7400', c: '10.0.0.3:7400' },
 *   store: new SqliteLogStore({ path: 'data/a.db' }),
 * });
 * await node.registry.put('config/rate', '100', { ttl: '10m' });
 */
function start(options: RegistryNodeOptions): Promise<HoldfastNode>;
function start(options: StateMachineNodeOptions): Promise<StateMachineNode>;
async function start(
  options: RegistryNodeOptions | StateMachineNodeOptions,
): Promise<HoldfastNode | StateMachineNode> {
  if (typeof options !== 'object' || options === null) {
    throw new HoldfastError('invalid-argument', 'Holdfast.start takes an object of options');
  }
  const isRegistry = options.stateMachine === undefined;
  refuseUnknownOptions('Holdfast.start', options, isRegistry ? REGISTRY_NAMES : MACHINE_NAMES);
  const peers = options.peers ?? { [options.id]: options.advertise ?? options.listen };
  if (options.stateMachine === undefined) return startRegistryNode({ ...options, peers });
  if (options.registry !== undefined) {
    const rule = 'a node has the registry or a state machine of your own, not both';
    throw new HoldfastError('invalid-argument', `registry and stateMachine: ${rule}`);
  }
  return startStateMachineNode({ ...options, peers });
}

/** Consensus in your process: see `Holdfast.start`. */
export const Holdfast: { readonly start: typeof start } = { start };
