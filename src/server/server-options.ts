import { z } from 'zod';
import { HoldfastError } from '../base/index.ts';
import {
  defaultSettings,
  type Environment,
  type LogLevel,
  type NodeId,
  type NodeOptions,
  type NodeSettings,
} from '../node/index.ts';
import {
  addressSchema,
  describeIssues,
  nodeIdSchema,
  optionsSchema,
  plainRules,
  tlsFault,
} from '../protocol/index.ts';
import { resolveLimits, type RegistryLimits } from '../registry/index.ts';
import { formatAddress, parseAddress, type HostAndPort } from '../wire/index.ts';
import { DEFAULT_SERVICE_LIMITS, type ServiceLimits } from './limits.ts';

/** PEM texts. With them, everything on the port is TLS: peers and clients alike. */
export interface ServerTls {
  readonly key: string;
  readonly cert: string;
  /** Demand of everyone who connects a certificate signed by this authority. */
  readonly ca?: string;
  /** The name that peers' certificates must carry; by default the host that was dialed. */
  readonly serverName?: string;
}

export interface ServerOptions {
  /** This node's name, unique in the cluster and the same for its whole life. */
  readonly id: string;
  /** Where to listen, `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** Address given to others; by default this node's among `peers`, else `listen`. */
  readonly advertise?: string;
  /**
   * Every founding node with its address, this one included: the same list on each. Empty to join a
   * cluster that exists, once one of its members was told to add this node.
   */
  readonly peers: Readonly<Record<string, string>>;
  /**
   * Where this node reaches peers, by id, in place of the addresses they give themselves: for
   * networks whose nodes see each other under different addresses, and for proxies. Not told to
   * anybody, so each node may have its own.
   */
  readonly routes?: Readonly<Record<string, string>>;
  /** Nodes and clients of another cluster are refused by it; `holdfast` by default. */
  readonly clusterName?: string;
  /** The node's own, not opened yet. */
  readonly store: NodeOptions['store'];
  /** What differs from `defaultSettings`. */
  readonly settings?: Partial<NodeSettings>;
  /**
   * What differs from the registry's `defaultLimits`: the same on every node of the cluster. To
   * change them, stop all nodes and start all with the new ones; what is beyond a lowered limit
   * stays.
   */
  readonly limits?: Partial<RegistryLimits>;
  /** What differs from `DEFAULT_SERVICE_LIMITS`. */
  readonly serviceLimits?: Partial<ServiceLimits>;
  readonly tls?: ServerTls;
  /** Receives one line per noteworthy thing; nothing is logged by default. */
  readonly log?: (level: LogLevel, line: string) => void;
  /** Clock, chance and timers; the system's by default. */
  readonly environment?: Environment;
  /** Ends the start: it rejects with `aborted`. */
  readonly signal?: AbortSignal;
}

/** Options that keep every rule, with defaults filled in. */
export interface ResolvedOptions {
  readonly id: NodeId;
  readonly listen: HostAndPort;
  readonly address: string;
  readonly peers: ReadonlyMap<NodeId, string>;
  readonly routes: ReadonlyMap<string, string>;
  readonly clusterName: string;
  readonly settings: NodeSettings;
  readonly limits: RegistryLimits;
  readonly serviceLimits: Partial<ServiceLimits>;
}

const DEFAULT_CLUSTER_NAME = 'holdfast';
const MAX_CLUSTER_NAME = 64;
/** Around key and value in a command. */
const COMMAND_OVERHEAD_BYTES = 1024;
const ANY_INTERFACE = new Set(['0.0.0.0', '::']);

const callable = z.custom<() => unknown>(
  (value) => typeof value === 'function',
  'a store has this method: it is a LogStore, for instance new SqliteLogStore({ path })',
);
const serverOptions = z.object({
  id: nodeIdSchema,
  listen: addressSchema,
  advertise: addressSchema.optional(),
  peers: z.record(nodeIdSchema, addressSchema),
  routes: z.record(nodeIdSchema, addressSchema).optional(),
  clusterName: z
    .string()
    .min(1, 'a cluster name is not empty')
    .max(MAX_CLUSTER_NAME, `a cluster name has at most ${MAX_CLUSTER_NAME} characters`)
    .optional(),
  store: z.looseObject(
    { open: callable, write: callable },
    'a store is a LogStore, for instance new SqliteLogStore({ path })',
  ),
  settings: numbersOf(defaultSettings).optional(),
  serviceLimits: numbersOf(DEFAULT_SERVICE_LIMITS).optional(),
  tls: optionsSchema({
    key: z.string(),
    cert: z.string(),
    ca: z.string().optional(),
    serverName: z.string().optional(),
  }).optional(),
});

/** An object with some of the same names, each with a value of the same kind. */
function numbersOf(defaults: object): z.ZodType {
  const shape: Record<string, z.ZodType> = {};
  for (const [name, value] of Object.entries(defaults)) {
    const kind =
      typeof value === 'boolean' ? z.boolean() : z.number().positive(`${name} is a number above 0`);
    shape[name] = kind.optional();
  }
  return optionsSchema(shape);
}

/**
 * Checks the options and fills in defaults. Throws `HoldfastError` `invalid-argument`, which names
 * each rule broken.
 */
export function resolveOptions(options: ServerOptions): ResolvedOptions {
  const parsed = serverOptions.safeParse(options, plainRules);
  if (!parsed.success) throw invalid(describeIssues(parsed.error));
  const fault = tlsFault(options.tls ?? {});
  if (fault !== undefined) throw invalid(fault);
  const peers = new Map(Object.entries(options.peers)) as Map<NodeId, string>;
  const id = options.id as NodeId;
  const settings = checkSettings({ ...defaultSettings, ...options.settings });
  const limits = checkLimits(options.limits, settings);
  const listen = parseAddress(options.listen);
  const address = ownAddress(options, listen, peers.get(id));
  checkPeers(peers, id);
  return {
    id,
    listen,
    address,
    peers,
    routes: new Map(Object.entries(options.routes ?? {})),
    clusterName: options.clusterName ?? DEFAULT_CLUSTER_NAME,
    settings,
    limits,
    serviceLimits: {
      maxCommandBytes: settings.maxCommandBytes,
      maxFrameBytes: Math.max(DEFAULT_SERVICE_LIMITS.maxFrameBytes, 2 * settings.maxCommandBytes),
      watchMarkRevisions: Math.max(1, Math.floor(limits.historyRevisions / 10)),
      ...options.serviceLimits,
    },
  };
}

/** The same options with the port that was found free in place of port 0. */
export function withPort(options: ResolvedOptions, port: number): ResolvedOptions {
  const listen = { host: options.listen.host, port };
  const own = parseAddress(options.address);
  const address = own.port === 0 ? formatAddress({ host: own.host, port }) : options.address;
  const peers = new Map(options.peers);
  if (peers.has(options.id)) peers.set(options.id, address);
  return { ...options, listen, address, peers };
}

function ownAddress(
  options: ServerOptions,
  listen: HostAndPort,
  named: string | undefined,
): string {
  const { advertise } = options;
  if (advertise !== undefined && named !== undefined && advertise !== named) {
    throw invalid(`advertise is ${advertise}, but peers has ${named} for ${options.id}`);
  }
  const address = advertise ?? named ?? options.listen;
  if (ANY_INTERFACE.has(parseAddress(address).host)) {
    throw invalid(`nobody can reach ${address}: set advertise to an address of this machine`);
  }
  if (parseAddress(address).port === 0 && listen.port !== 0) {
    throw invalid(`nobody can reach port 0: say ${listen.port} in ${address}`);
  }
  return address;
}

function checkPeers(peers: ReadonlyMap<NodeId, string>, id: NodeId): void {
  if (peers.size > 0 && !peers.has(id)) {
    const names = [...peers.keys()].join(', ');
    throw invalid(`peers names the founding nodes, this one included: ${id} is not in ${names}`);
  }
  const owners = new Map<string, NodeId>();
  for (const [peer, address] of peers) {
    const other = owners.get(address);
    if (other !== undefined) throw invalid(`peers gives ${address} to both ${other} and ${peer}`);
    owners.set(address, peer);
  }
}

function checkSettings(settings: NodeSettings): NodeSettings {
  const { tickMs, heartbeatMs, electionTimeoutMs } = settings;
  if (heartbeatMs < tickMs) {
    throw invalid(`heartbeatMs (${heartbeatMs}) is at least one tick, tickMs (${tickMs})`);
  }
  if (electionTimeoutMs < 2 * heartbeatMs) {
    const rule = `at least twice heartbeatMs (${heartbeatMs})`;
    throw invalid(`electionTimeoutMs (${electionTimeoutMs}) is ${rule}: or leaders are deposed`);
  }
  return settings;
}

function checkLimits(
  given: Partial<RegistryLimits> | undefined,
  settings: NodeSettings,
): RegistryLimits {
  let limits: RegistryLimits;
  try {
    limits = resolveLimits(given);
  } catch (error) {
    if (error instanceof RangeError) throw invalid(error.message);
    throw error;
  }
  const largest = limits.maxKeyBytes + limits.maxValueBytes + COMMAND_OVERHEAD_BYTES;
  if (largest > settings.maxCommandBytes) {
    const command = `settings.maxCommandBytes (${settings.maxCommandBytes})`;
    throw invalid(`${command} does not hold a value of maxValueBytes (${limits.maxValueBytes})`);
  }
  return limits;
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('invalid-argument', message);
}
