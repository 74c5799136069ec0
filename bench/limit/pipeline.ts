/** Starts the bare pipeline's processes, loads it, stops it. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadResult } from '../load/closed-loop.ts';
import { microsEach } from '../load/client-handle.ts';
import { latencyFigures, type Figures } from '../measure/figures.ts';
import { cpuMsOf } from '../measure/usage.ts';
import { adopt, end, makeWorkspace, removeWorkspace } from '../workspace.ts';
import type { LimitLoad, LimitRole, LimitSpec, PipelineReply } from './limit-spec.ts';

const PROGRAM = fileURLToPath(new URL('role-process.js', import.meta.url));

function startRole(role: LimitRole): ChildProcess {
  return adopt(
    fork(PROGRAM, [JSON.stringify(role)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
  );
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (told: PipelineReply) => {
      if (told.type === 'port') resolve(told.port);
    });
    child.once('exit', () => reject(new Error('a process of the bare pipeline is gone')));
  });
}

export class Pipeline {
  readonly #servers: readonly ChildProcess[];
  readonly #client: ChildProcess;
  readonly #directory: string;

  private constructor(servers: readonly ChildProcess[], client: ChildProcess, directory: string) {
    this.#servers = servers;
    this.#client = client;
    this.#directory = directory;
  }

  static async start(spec: LimitSpec): Promise<Pipeline> {
    const root = await makeWorkspace();
    const names = Array.from({ length: spec.followers }, (_, i) => `follower-${i}`);
    const followers = names.map((name) =>
      startRole({ role: 'follower', spec, directory: join(root, name) }),
    );
    const followerPorts = await Promise.all(followers.map(portOf));
    const leader = startRole({
      role: 'leader',
      spec,
      directory: join(root, 'leader'),
      followerPorts,
    });
    const port = await portOf(leader);
    return new Pipeline([leader, ...followers], startRole({ role: 'client', spec, port }), root);
  }

  async load(load: LimitLoad): Promise<Figures> {
    const serverCpu = (): Promise<number | undefined> =>
      cpuMsOf(this.#servers.map(({ pid }) => pid));
    const clientCpu = (): Promise<number | undefined> => cpuMsOf([this.#client.pid]);
    let before: Promise<readonly (number | undefined)[]> = Promise.resolve([]);
    const result = await new Promise<LoadResult>((resolve, reject) => {
      const gone = (): void => reject(new Error('the client of the bare pipeline is gone'));
      this.#client.once('exit', gone);
      const listen = (told: PipelineReply): void => {
        if (told.type === 'begun') before = Promise.all([serverCpu(), clientCpu()]);
        if (told.type !== 'result') return;
        this.#client.off('message', listen);
        this.#client.off('exit', gone);
        resolve(told.result);
      };
      this.#client.on('message', listen);
      this.#client.send(load);
    });
    const [servers, client] = await before;
    return {
      perSecond: result.perSecond,
      ...latencyFigures(result.latency),
      ...microsEach('serverMicros', servers, await serverCpu(), result.calls),
      ...microsEach('clientMicros', client, await clientCpu(), result.calls),
    };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#client, ...this.#servers].map(end));
    await removeWorkspace(this.#directory);
  }
}
