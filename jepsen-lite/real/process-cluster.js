/** A cluster of real `holdfast serve` processes on loopback, to be killed, paused and restarted. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const STOP_PATIENCE_MS = 10_000;
/** Log lines kept per node for the report of a failure. */
const KEPT_LINES = 200;
/** Ports that were free a moment ago. */
export async function freePorts(count) {
    const servers = await Promise.all(Array.from({ length: count }, async () => {
        const server = createServer();
        await new Promise((resolve, reject) => {
            server.once('error', reject);
            server.listen(0, '127.0.0.1', resolve);
        });
        return server;
    }));
    const ports = servers.map((server) => {
        const address = server.address();
        if (address === null || typeof address === 'string')
            throw new Error('no port was given');
        return address.port;
    });
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(() => resolve()))));
    return ports;
}
export class ProcessCluster {
    #options;
    #slots;
    #peers;
    constructor(options, ports) {
        this.#options = options;
        this.#slots = new Map(ports.map((port, i) => {
            const id = String.fromCharCode('a'.charCodeAt(0) + i);
            const endpoint = `127.0.0.1:${port}`;
            return [id, { id, endpoint, child: undefined, exited: Promise.resolve(), log: [] }];
        }));
        this.#peers = [...this.#slots.values()].map((slot) => `${slot.id}=${slot.endpoint}`).join(',');
    }
    /** Starts every process. They found the cluster by themselves; ask a client when it is ready. */
    static async start(options) {
        const cluster = new ProcessCluster(options, await freePorts(options.nodes));
        for (const id of cluster.ids)
            cluster.startNode(id);
        return cluster;
    }
    get ids() {
        return [...this.#slots.keys()];
    }
    get endpoints() {
        return [...this.#slots.values()].map((slot) => slot.endpoint);
    }
    endpoint(id) {
        return this.#slot(id).endpoint;
    }
    pid(id) {
        return this.#slot(id).child?.pid;
    }
    isRunning(id) {
        return this.#slot(id).child !== undefined;
    }
    /** The newest log lines of a node. */
    log(id) {
        return this.#slot(id).log;
    }
    startNode(id) {
        const slot = this.#slot(id);
        if (slot.child !== undefined)
            throw new Error(`node ${id} runs already`);
        const { store, directory, serveArguments = [], nodeArguments = [] } = this.#options;
        const place = store === 'memory' ? [] : ['--data', join(directory, id)];
        const child = spawn(process.execPath, [
            ...nodeArguments,
            ...[CLI, 'serve', '--id', id, '--listen', slot.endpoint, '--peers', this.#peers],
            ...['--store', store, ...place, ...serveArguments],
        ], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
        slot.child = child;
        for (const stream of [child.stdout, child.stderr]) {
            if (stream === null)
                continue;
            createInterface({ input: stream }).on('line', (line) => {
                slot.log.push(line);
                if (slot.log.length > KEPT_LINES)
                    slot.log.shift();
                this.#options.onLog?.(id, line);
            });
        }
        slot.exited = new Promise((resolve) => {
            child.once('exit', () => {
                if (slot.child === child)
                    slot.child = undefined;
                resolve();
            });
        });
    }
    /** Sends a signal and, when it ends the process, waits until it has. */
    async signal(id, signal) {
        const slot = this.#slot(id);
        slot.child?.kill(signal);
        if (signal === 'SIGKILL' || signal === 'SIGTERM')
            await slot.exited;
    }
    /** Stops every process, gently first. */
    async stop() {
        await Promise.all([...this.#slots.values()].map(async (slot) => {
            const child = slot.child;
            if (child === undefined)
                return;
            child.kill('SIGCONT');
            child.kill('SIGTERM');
            const timer = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
            await slot.exited;
            clearTimeout(timer);
        }));
    }
    #slot(id) {
        const slot = this.#slots.get(id);
        if (slot === undefined)
            throw new Error(`there is no node ${id}`);
        return slot;
    }
}
//# sourceMappingURL=process-cluster.js.map