import { once } from 'node:events';
import { createServer } from 'node:net';
import { HoldfastError, type ErrorCode } from '../base/index.ts';
import {
  createNode,
  systemEnvironment,
  type Environment,
  type NodeOptions,
  type RaftNode,
} from '../node/index.ts';
import { RegistryStateMachine } from '../registry/index.ts';
import { TcpTransport } from '../transport/index.ts';
import { RegistryService } from './registry-service.ts';
import {
  resolveOptions,
  withPort,
  type ResolvedOptions,
  type ServerOptions,
} from './server-options.ts';

/** A node of the locking registry with its port open, until `stop`. */
export interface RunningServer extends AsyncDisposable {
  readonly node: RaftNode;
  readonly service: RegistryService;
  readonly registry: RegistryStateMachine;
  /** Where others reach it, `host:port`. */
  readonly address: string;
  /** Resolves when it is over: to why when it stopped itself, to undefined after `stop`. */
  readonly stopped: Promise<HoldfastError | undefined>;
  /** Hands leadership over, answers what is open, closes everything. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a node and serves its registry. Resolves when the node takes part in its cluster: the
 * first start of a cluster waits for all founding peers. Rejects with `HoldfastError`:
 * - `invalid-argument` for options that break a rule,
 * - `data-directory`, `data-in-use`, `corrupt-data` when the store cannot be opened,
 * - `address-in-use` when something else listens there,
 * - `configuration-mismatch` when peers or the stored membership disagree with the options,
 * - `aborted` when `signal` ended it.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  if (options.signal?.aborted === true) throw startError(undefined, options.signal);
  const resolved = await resolvePort(resolveOptions(options));
  const environment = options.environment ?? systemEnvironment(options.log ?? (() => undefined));
  const server = assemble(options, resolved, environment);
  const abort = (): void => void server.stop();
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    await server.node.start();
  } catch (error) {
    await server.stop();
    throw startError(error, options.signal);
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
  return server;
}

function assemble(
  options: ServerOptions,
  resolved: ResolvedOptions,
  environment: Environment,
): RunningServer {
  const { id, clusterName, address, peers, settings } = resolved;
  const registry = new RegistryStateMachine({ limits: resolved.limits });
  const over = deferred<HoldfastError | undefined>();
  const transport = new TcpTransport({
    ...resolved.listen,
    environment,
    ...tlsOf(options),
    onClient: (connection) => service.serveClient(connection),
  });
  const nodeOptions: NodeOptions = {
    id,
    clusterName,
    address,
    peers,
    store: options.store,
    transport,
    stateMachine: registry,
    environment,
    settings,
    onApplied: () => service.applied(),
    onLeaderChanged: () => service.leaderChanged(),
    onFatal: (error) => {
      service.close();
      over.resolve(error);
    },
  };
  const node = createNode(nodeOptions);
  const limits = resolved.serviceLimits;
  const service = new RegistryService({ node, registry, clusterName, environment, limits });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= stopAll(node, service).then(over.resolve));
  return {
    node,
    service,
    registry,
    address,
    stopped: over.promise,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Clients are told first, so that they go elsewhere while the node hands over. */
async function stopAll(node: RaftNode, service: RegistryService): Promise<undefined> {
  service.stopAccepting();
  await node.stop();
  service.close();
}

function tlsOf(options: ServerOptions): Pick<ConstructorParameters<typeof TcpTransport>[0], 'tls'> {
  const { tls } = options;
  if (tls === undefined) return {};
  return { tls: { ...tls, requestClientCertificate: tls.ca !== undefined } };
}

/**
 * Others must know this node's port before it listens (it stands in the founding peer list), so
 * port 0 is exchanged for a free one first. Another process may take it in between; then the start
 * fails with `address-in-use`.
 */
export async function resolvePort(options: ResolvedOptions): Promise<ResolvedOptions> {
  if (options.listen.port !== 0) return options;
  const probe = createServer();
  try {
    probe.listen(0, options.listen.host);
    await once(probe, 'listening');
    const address = probe.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return withPort(options, port);
  } catch (error) {
    throw startError(error, undefined);
  } finally {
    probe.close();
  }
}

const SYSTEM_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  EADDRINUSE: ['address-in-use', 'something else listens there already'],
  EADDRNOTAVAIL: ['invalid-argument', 'listen is not an address of this machine'],
  ENOTFOUND: ['invalid-argument', 'the host of listen is unknown'],
  EACCES: ['data-directory', 'this user may not write there'],
  EPERM: ['data-directory', 'this user may not write there'],
  EROFS: ['data-directory', 'the file system is read-only'],
  ENOENT: ['data-directory', 'there is no such directory'],
  ENOTDIR: ['data-directory', 'part of the path is no directory'],
  EISDIR: ['data-directory', 'a directory stands where a file should be'],
  ENOSPC: ['disk-full', 'the disk is full'],
};

/** What went wrong, as the one type callers are told; the parts' own errors are kept. */
export function startError(error: unknown, signal: AbortSignal | undefined): HoldfastError {
  if (signal?.aborted === true) {
    return new HoldfastError('aborted', 'the start was aborted', { cause: error });
  }
  if (error instanceof HoldfastError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = Object.hasOwn(SYSTEM_ERRORS, errno) ? SYSTEM_ERRORS[errno] : undefined;
  if (known === undefined) return new HoldfastError('internal', message, { cause: error });
  return new HoldfastError(known[0], `${known[1]}: ${message}`, { cause: error });
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function deferred<T>(): Deferred<T> {
  let settle: ((value: T) => void) | undefined;
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: (value) => settle?.(value) };
}
