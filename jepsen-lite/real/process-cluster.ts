/** A cluster of real `holdfast serve` processes on loopback, to be killed, paused and restarted. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ChildCommand } from './child-command.ts';
import type { Guard } from './guard.ts';

const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const STOP_PATIENCE_MS = 10_000;
/** Log lines kept per node for the report of a failure. */
const KEPT_LINES = 200;

export interface ProcessClusterOptions {
  /** Founding nodes. */
  readonly nodes: number;
  /** Nodes for which there is a place, and which found nothing: they are to join. */
  readonly spares?: number;
  readonly store: 'sqlite' | 'level' | 'memory';
  /** The default of `serve` when absent. */
  readonly clusterName?: string;
  /** Each node gets a folder in it. */
  readonly directory: string;
  readonly onLog?: (id: string, line: string) => void;
  /** Called when a process is gone, whoever ended it. */
  readonly onExit?: (id: string, code: number | null) => void;
  /** Told of every process, so that none outlives this one even when it is killed. */
  readonly guard?: Pick<Guard, 'begun' | 'ended'>;
  /** Ctrl-C in the terminal is not for the nodes: whoever started them sees to their end. */
  readonly isDetached?: boolean;
  /** More arguments for one node's `serve`, asked for whenever it starts. */
  readonly argumentsOf?: (id: string) => readonly string[];
  /** More of the environment of one node's process, asked for whenever it starts. */
  readonly environmentOf?: (id: string) => Readonly<Record<string, string>>;
  /** More arguments for every `serve`. */
  readonly serveArguments?: readonly string[];
  /** More arguments for node itself, for example `--cpu-prof`. */
  readonly nodeArguments?: readonly string[];
}

/** A process that stands still does not see that its parent is gone. */
const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

interface NodeSlot {
  readonly id: string;
  readonly isFounder: boolean;
  readonly endpoint: string;
  child: ChildProcess | undefined;
  exited: Promise<void>;
  readonly log: string[];
}

/**
 * Ports below those that systems give out by themselves: while a node is down, nobody else is to
 * get its port by chance and answer in its place.
 */
const FIRST_PORT = 20_000;
const PORTS = 12_000;
const TRIES = 100;

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let tries = 0; servers.length < count && tries < TRIES * count; tries++) {
    const server = await listening(FIRST_PORT + Math.floor(Math.random() * PORTS));
    if (server !== undefined) servers.push(server);
  }
  if (servers.length < count) throw new Error('no free port was found');
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port was given');
    return address.port;
  });
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
  );
  return ports;
}

/** Undefined where that port cannot be had. */
function listening(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

export class ProcessCluster {
  readonly #options: ProcessClusterOptions;
  readonly #slots: ReadonlyMap<string, NodeSlot>;
  readonly #peers: string;

  private constructor(options: ProcessClusterOptions, ports: readonly number[]) {
    this.#options = options;
    this.#slots = new Map(
      ports.map((port, i) => {
        const id = String.fromCharCode('a'.charCodeAt(0) + i);
        const endpoint = `127.0.0.1:${port}`;
        const isFounder = i < options.nodes;
        const exited = Promise.resolve();
        return [id, { id, isFounder, endpoint, child: undefined, exited, log: [] }];
      }),
    );
    this.#peers = [...this.#slots.values()]
      .filter(({ isFounder }) => isFounder)
      .map(({ id, endpoint }) => `${id}=${endpoint}`)
      .join(',');
  }

  /** Starts every founder. They found the cluster by themselves; ask a client when it is ready. */
  static async start(options: ProcessClusterOptions): Promise<ProcessCluster> {
    const cluster = await ProcessCluster.prepare(options);
    for (const { id, isFounder } of cluster.#slots.values()) if (isFounder) cluster.startNode(id);
    return cluster;
  }

  /** Chooses the ports and starts nothing yet. */
  static async prepare(options: ProcessClusterOptions): Promise<ProcessCluster> {
    return new ProcessCluster(options, await freePorts(options.nodes + (options.spares ?? 0)));
  }

  get ids(): readonly string[] {
    return [...this.#slots.keys()];
  }

  get endpoints(): readonly string[] {
    return [...this.#slots.values()].map((slot) => slot.endpoint);
  }

  /** What a client has to give so that no other cluster answers it. */
  get clusterName(): string {
    return this.#options.clusterName ?? '';
  }

  endpoint(id: string): string {
    return this.#slot(id).endpoint;
  }

  pid(id: string): number | undefined {
    return this.#slot(id).child?.pid;
  }

  isRunning(id: string): boolean {
    return this.#slot(id).child !== undefined;
  }

  /** The newest log lines of a node. */
  log(id: string): readonly string[] {
    return this.#slot(id).log;
  }

  /** The folder of a node's own. */
  directory(id: string): string {
    return join(this.#options.directory, this.#slot(id).id);
  }

  /**
   * @param isJoining it founds nothing, and waits to be taken in; spare nodes always do
   */
  startNode(id: string, isJoining = false): void {
    const slot = this.#slot(id);
    if (slot.child !== undefined) throw new Error(`node ${id} runs already`);
    const { store, argumentsOf, serveArguments = [], nodeArguments = [] } = this.#options;
    const { isDetached: detached = false } = this.#options;
    const env = { ...process.env, ...this.#options.environmentOf?.(id) };
    const { clusterName } = this.#options;
    const name = clusterName === undefined ? [] : ['--cluster', clusterName];
    const place = store === 'memory' ? [] : ['--data', this.directory(id)];
    const others = isJoining || !slot.isFounder ? ['--join'] : ['--peers', this.#peers];
    const child = spawn(
      process.execPath,
      [
        ...nodeArguments,
        CLI,
        'serve',
        '--id',
        id,
        '--listen',
        slot.endpoint,
        ...others,
        ...name,
        '--store',
        store,
        ...place,
        ...(argumentsOf?.(id) ?? []),
        ...serveArguments,
      ],
      { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env, detached },
    );
    slot.child = child;
    living.add(child);
    const { pid } = child;
    if (pid !== undefined) this.#options.guard?.begun(pid);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        slot.log.push(line);
        if (slot.log.length > KEPT_LINES) slot.log.shift();
        this.#options.onLog?.(id, line);
      });
    }
    slot.exited = new Promise((resolve) => {
      child.once('exit', (code) => {
        living.delete(child);
        if (pid !== undefined) this.#options.guard?.ended(pid);
        if (slot.child === child) slot.child = undefined;
        this.#options.onExit?.(id, code);
        resolve();
      });
    });
  }

  /** Says something to what was preloaded into the process. */
  tell(id: string, message: ChildCommand): void {
    const { child } = this.#slot(id);
    // One that is about to be gone need not hear it.
    if (child?.connected === true) child.send(message, () => undefined);
  }

  /** Sends a signal and, when it ends the process, waits until it has. */
  async signal(id: string, signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const slot = this.#slot(id);
    slot.child?.kill(signal);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await slot.exited;
  }

  /** Stops every process, gently first. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.#slots.values()].map(async (slot) => {
        const child = slot.child;
        if (child === undefined) return;
        child.kill('SIGCONT');
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
        await slot.exited;
        clearTimeout(timer);
      }),
    );
  }

  #slot(id: string): NodeSlot {
    const slot = this.#slots.get(id);
    if (slot === undefined) throw new Error(`there is no node ${id}`);
    return slot;
  }
}
