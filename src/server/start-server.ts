import { once } from 'node:events';
import { createServer } from 'node:net';
import { HoldfastError, type ErrorCode } from '../base/index.ts';
import { systemEnvironment, type Environment, type NodeId, type RaftNode } from '../node/index.ts';
import type { RegistryStateMachine } from '../registry/index.ts';
import { Maintenance } from './maintenance.ts';
import type { RegistryService } from './registry-service.ts';
import { assembleLife, endLife, type ServerLife } from './server-life.ts';
import {
  resolveOptions,
  withPort,
  type ResolvedOptions,
  type ServerOptions,
} from './server-options.ts';

/**
 * A node of the locking registry with its port open, until `stop`. Node, service and registry are
 * those of its present life: installed anew, it has others.
 */
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
  const server = new Server(options, resolved, environment);
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

class Server implements RunningServer {
  readonly address: string;
  readonly stopped: Promise<HoldfastError | undefined>;
  readonly #options: ServerOptions;
  readonly #resolved: ResolvedOptions;
  readonly #environment: Environment;
  readonly #maintenance: Maintenance;
  readonly #over = deferred<HoldfastError | undefined>();
  #life: ServerLife;
  #beginningAnew: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(options: ServerOptions, resolved: ResolvedOptions, environment: Environment) {
    this.address = resolved.address;
    this.stopped = this.#over.promise;
    this.#options = options;
    this.#resolved = resolved;
    this.#environment = environment;
    this.#life = this.#assemble(resolved.peers);
    const life = (): ServerLife => this.#life;
    this.#maintenance = new Maintenance({
      get life() {
        return life();
      },
      beginAnew: () => {
        // Whoever asked for it gets the answer first.
        const answered = new Promise<void>((resolve) => environment.defer(resolve));
        this.#beginningAnew = answered.then(() => this.#beginAnew());
      },
    });
  }

  get node(): RaftNode {
    return this.#life.node;
  }

  get service(): RegistryService {
    return this.#life.service;
  }

  get registry(): RegistryStateMachine {
    return this.#life.registry;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    await endLife(this.#life);
    await this.#beginningAnew;
    await endLife(this.#life);
    this.#over.resolve(undefined);
  }

  async #beginAnew(): Promise<void> {
    try {
      await endLife(this.#life);
      await this.#installAnew();
    } catch (error) {
      // Its start was cut off, as was asked.
      if (this.#stopping !== undefined) return;
      const why = startError(error, undefined);
      this.#environment.log('error', `it could not be installed anew: ${why.message}`);
      this.#life.service.close();
      this.#over.resolve(why);
    }
  }

  /** The store is closed. An empty peer list: this node must never found a cluster again. */
  async #installAnew(): Promise<void> {
    await this.#options.store.destroy();
    if (this.#stopping !== undefined) return;
    this.#environment.log('info', 'the store is empty: waiting to be found by the cluster');
    this.#life = this.#assemble(new Map());
    await this.#life.node.start();
  }

  #assemble(peers: ReadonlyMap<NodeId, string>): ServerLife {
    return assembleLife({
      options: this.#options,
      resolved: this.#resolved,
      environment: this.#environment,
      peers,
      maintain: (action, options) => this.#maintenance.maintain(action, options),
      fatal: (error) => this.#over.resolve(error),
    });
  }
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
