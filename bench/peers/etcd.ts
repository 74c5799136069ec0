/** A local etcd of three members (Debian's `etcd-server`), for comparison. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePorts } from '../../jepsen-lite/real/process-cluster.ts';
import { keyAt, KEYS } from '../load/load-spec.ts';
import { cpuMsOf } from '../measure/usage.ts';
import { adopt, end, makeWorkspace, removeWorkspace } from '../workspace.ts';
import { ETCD_PATHS, fieldOf, grpcMessage, putRequest } from './etcd-messages.ts';
import { GrpcChannel } from './grpc-channel.ts';

const run = promisify(execFile);
const MEMBERS = 3;
const READY_PATIENCE_MS = 30_000;
const FILL_IN_FLIGHT = 256;
/** What a comparison needs, and where Debian has it. */
const PROGRAMS = [
  { program: 'etcd', argument: '--version', package: 'etcd-server' },
  { program: 'etcdctl', argument: 'version', package: 'etcd-client' },
  { program: 'h2load', argument: '--version', package: 'nghttp2-client' },
] as const;

interface Member {
  process: ChildProcess;
  readonly endpoint: string;
  readonly start: () => ChildProcess;
}

/** Looks for a leader this often. */
const POLL_MS = 5;

/** Versions of the programs, or which Debian packages are missing. */
export async function etcdPrograms(): Promise<
  | { readonly type: 'there'; readonly versions: Readonly<Record<string, string>> }
  | { readonly type: 'missing'; readonly packages: readonly string[] }
> {
  const versions: Record<string, string> = {};
  const missing: string[] = [];
  for (const { program, argument, package: name } of PROGRAMS) {
    try {
      const { stdout } = await run(program, [argument], { env: withApi3() });
      versions[program] = /\d+\.\d+[.\d]*/.exec(stdout)?.[0] ?? 'unknown';
    } catch {
      missing.push(name);
    }
  }
  return missing.length === 0
    ? { type: 'there', versions }
    : { type: 'missing', packages: missing };
}

function withApi3(): NodeJS.ProcessEnv {
  return { ...process.env, ETCDCTL_API: '3' };
}

export class Etcd {
  readonly #members: Member[];
  readonly #directory: string;

  private constructor(members: Member[], directory: string) {
    this.#members = members;
    this.#directory = directory;
  }

  /** Default settings. Resolves once it has a leader and the keys that gets ask for. */
  static async start(): Promise<Etcd> {
    const directory = await makeWorkspace();
    const ports = await freePorts(2 * MEMBERS);
    const peer = (i: number): string => `http://127.0.0.1:${ports[MEMBERS + i]}`;
    const names = Array.from({ length: MEMBERS }, (_, i) => `m${i}`);
    const cluster = names.map((name, i) => `${name}=${peer(i)}`).join(',');
    const members = names.map((name, i): Member => {
      const endpoint = `127.0.0.1:${ports[i]}`;
      const options = {
        name,
        'data-dir': join(directory, name),
        'listen-client-urls': `http://${endpoint}`,
        'advertise-client-urls': `http://${endpoint}`,
        'listen-peer-urls': peer(i),
        'initial-advertise-peer-urls': peer(i),
        'initial-cluster': cluster,
        logger: 'zap',
        'log-level': 'fatal',
      };
      const flags = Object.entries(options).map(([flag, value]) => `--${flag}=${value}`);
      // What it says of connections that h2load cuts is of no use here.
      const start = (): ChildProcess => adopt(spawn('etcd', flags, { stdio: 'ignore' }));
      return { process: start(), endpoint, start };
    });
    const etcd = new Etcd(members, directory);
    await etcd.#fill();
    return etcd;
  }

  /** Where the leader is reached; waits until there is one. */
  async leader(): Promise<string> {
    const deadline = performance.now() + READY_PATIENCE_MS;
    while (performance.now() < deadline) {
      for (const { endpoint, process: child } of this.#members) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        if (await isLeader(endpoint)) return endpoint;
      }
      await sleep(POLL_MS);
    }
    throw new Error('etcd has no leader');
  }

  /** Of all members. */
  cpuMs(): Promise<number | undefined> {
    return cpuMsOf(this.#members.map(({ process: child }) => child.pid));
  }

  async kill(endpoint: string): Promise<void> {
    const { process: child } = this.#at(endpoint);
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGKILL');
    await gone;
  }

  restart(endpoint: string): void {
    const member = this.#at(endpoint);
    member.process = member.start();
  }

  #at(endpoint: string): Member {
    const member = this.#members.find((one) => one.endpoint === endpoint);
    if (member === undefined) throw new Error(`there is no member at ${endpoint}`);
    return member;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(({ process: child }) => end(child)));
    await removeWorkspace(this.#directory);
  }

  async #fill(): Promise<void> {
    const channel = new GrpcChannel(await this.leader());
    const value = new Uint8Array(256).fill(97);
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < KEYS) {
        await channel.call(ETCD_PATHS.put, grpcMessage(putRequest(keyAt(next++), value)));
      }
    };
    try {
      await Promise.all(Array.from({ length: FILL_IN_FLIGHT }, worker));
    } finally {
      channel.close();
    }
  }
}

/** `Maintenance.Status`: the member's own id is in the header, the leader's is field 4. */
async function isLeader(endpoint: string): Promise<boolean> {
  const channel = new GrpcChannel(endpoint);
  try {
    const empty = grpcMessage(new Uint8Array(0));
    const status = await channel.call('/etcdserverpb.Maintenance/Status', empty);
    const header = fieldOf(status, 1);
    const leader = fieldOf(status, 4);
    return header instanceof Uint8Array && leader !== undefined && fieldOf(header, 2) === leader;
  } catch {
    return false;
  } finally {
    channel.close();
  }
}
