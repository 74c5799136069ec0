/** A process of its own, on one core and with low priority, that runs simulations with a bug. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Wishes } from '../simulation/configuration.ts';
import { urlInBuild, type PlantedSources } from './planting.ts';
import type { FromTrial, RunReport, ShrinkReport, ToTrial } from './trial-messages.ts';

const MAIN = fileURLToPath(new URL('trial-main.js', import.meta.url));
/** Of what a process says before it dies, the end is told. */
const KEPT_ERROR_CHARS = 2_000;

/** The process died, or was ended because it took too long. */
export class TrialOver extends Error {
  override readonly name = 'TrialOver';
}

function start(): { readonly child: ChildProcess; readonly lastWords: () => string } {
  const child = fork(MAIN, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  // Whoever waits for an answer hears of the end of the process.
  child.on('error', () => {});
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT_ERROR_CHARS);
  });
  return { child, lastWords: () => said.trim() };
}

export class Trial {
  readonly #child: ChildProcess;
  readonly #lastWords: () => string;

  private constructor(child: ChildProcess, lastWords: () => string) {
    this.#child = child;
    this.#lastWords = lastWords;
  }

  static async begin(sources: PlantedSources, wishes: Wishes, limitMs: number): Promise<Trial> {
    const { child, lastWords } = start();
    const trial = new Trial(child, lastWords);
    await trial.#ask({ type: 'simulate', sources, wishes }, limitMs);
    return trial;
  }

  /** @throws TrialOver when the process dies, or takes longer than `limitMs` */
  async run(seed: number, limitMs: number): Promise<RunReport> {
    const answer = await this.#ask({ type: 'run', seed }, limitMs);
    if (answer.type !== 'ran') throw new TrialOver(`it answered with ${answer.type}`);
    return answer;
  }

  /** Of the last run, which had a violation. @throws TrialOver */
  async shrink(forMs: number, limitMs: number): Promise<ShrinkReport> {
    const answer = await this.#ask({ type: 'shrink', forMs }, limitMs);
    if (answer.type !== 'shrunk') throw new TrialOver(`it answered with ${answer.type}`);
    return answer;
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask(message: ToTrial, limitMs: number): Promise<FromTrial> {
    const child = this.#child;
    if (!child.connected) throw new TrialOver(`it died: ${this.#lastWords()}`);
    const stop = new AbortController();
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    try {
      child.send(message);
      const died = once(child, 'exit', { signal: stop.signal }).then(() => undefined);
      const answered = once(child, 'message', { signal: stop.signal });
      const outcome = await Promise.race([answered, died]);
      if (outcome === undefined) {
        const why = this.#lastWords();
        throw new TrialOver(why === '' ? `no answer within ${limitMs} ms` : why);
      }
      return (outcome as [FromTrial])[0];
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
  }
}

/** Whether all these tests pass, with the bug planted. */
export async function testsPass(
  sources: PlantedSources,
  files: readonly string[],
  limitMs: number,
): Promise<boolean> {
  const { child } = start();
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const job: ToTrial = { type: 'tests', sources, files: files.map(urlInBuild) };
  child.send(job);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(timer);
  return code === 0;
}
