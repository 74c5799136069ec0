/** A client process, as whoever measures sees it. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Figures } from '../measure/figures.ts';
import { latencyFigures } from '../measure/figures.ts';
import { cpuMsOf } from '../measure/usage.ts';
import { adopt, end } from '../workspace.ts';
import type { LoadReply, LoadRequest, LoadSpec } from './load-spec.ts';

const PROGRAM = fileURLToPath(new URL('client-process.js', import.meta.url));

/** Reads the processor time of those who serve, in ms. */
export type ReadCpu = () => Promise<number | undefined>;

/** Of the servers, and of the client process. */
type CpuMs = Promise<readonly (number | undefined)[]>;

export class ClientProcess {
  readonly #child: ChildProcess;
  #listener: (reply: LoadReply) => void = () => {};

  constructor() {
    this.#child = adopt(fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
    this.#child.on('message', (reply: LoadReply) => this.#listener(reply));
    this.#child.on('exit', () => {
      this.#listener({ type: 'failed', message: 'the client process is gone' });
    });
  }

  /** Puts the first `keys` keys. */
  async fill(endpoints: readonly string[], keys: number): Promise<void> {
    await this.#ask({ type: 'fill', endpoints, keys });
  }

  /** @param serverCpuMs when given, what an operation costs the servers is measured too */
  async load(spec: LoadSpec, serverCpuMs: ReadCpu = async () => undefined): Promise<Figures> {
    const clientCpuMs: ReadCpu = () => cpuMsOf([this.#child.pid]);
    const read = (): CpuMs => Promise.all([serverCpuMs(), clientCpuMs()]);
    const marks: CpuMs[] = [];
    const reply = await this.#ask({ type: 'load', spec }, () => void marks.push(read()));
    const [before = [], after = []] = await Promise.all(marks);
    if (reply.type !== 'result') throw new Error(`the client process answered ${reply.type}`);
    const { perSecond, latency, calls } = reply.result;
    return {
      perSecond,
      ...latencyFigures(latency),
      ...microsEach('serverMicros', before[0], after[0], calls),
      ...microsEach('clientMicros', before[1], after[1], calls),
      ...reply.figures,
    };
  }

  async stop(): Promise<void> {
    await end(this.#child);
  }

  #ask(request: LoadRequest, onMark?: () => void): Promise<LoadReply> {
    return new Promise((resolve, reject) => {
      this.#listener = (reply) => {
        if (reply.type === 'begun' || reply.type === 'over') onMark?.();
        else if (reply.type === 'failed') reject(new Error(reply.message));
        else resolve(reply);
      };
      this.#child.send(request);
    });
  }
}

/** What one operation cost, in microseconds of processor time, under a name; nothing if unknown. */
export function microsEach(
  name: string,
  beforeMs: number | undefined,
  afterMs: number | undefined,
  operations: number,
): Figures {
  if (beforeMs === undefined || afterMs === undefined || operations === 0) return {};
  return { [name]: ((afterMs - beforeMs) * 1000) / operations };
}
