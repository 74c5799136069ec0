/** Running a command for as long as a lock is certain, and waiting that a signal can end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { HoldfastError } from '../base/index.ts';
import type { HeldLock } from '../client/index.ts';
import { EXIT, errorLine, ExitError } from './exit.ts';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const SIGNALLED = 128;

export interface Interruptible {
  /** Aborts when the process is asked to stop, so that the place in the queue is given up. */
  readonly signal: AbortSignal;
  /** How to exit, when it was. */
  interruption(): ExitError | undefined;
  /** From now on signals do again what they did before. */
  end(): void;
}

/** `what` is waited for: a message says that it never came. */
export function interruptible(what: string): Interruptible {
  const controller = new AbortController();
  let interruption: ExitError | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    const code = SIGNALLED + constants.signals[signal];
    interruption ??= new ExitError(code, `interrupted by ${signal} before ${what}`);
    controller.abort();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
  return {
    signal: controller.signal,
    interruption: () => interruption,
    end: () => {
      for (const signal of STOP_SIGNALS) process.off(signal, stop);
    },
  };
}

/** What the command's end has to say about the loss of its lock. */
export function commandKilled(error: unknown): ExitError | undefined {
  if (!(error instanceof HoldfastError)) return undefined;
  return error.cause instanceof ExitError ? error.cause : undefined;
}

/** Runs the command in a process group of its own, so that nothing it started outlives the lock. */
export function runUnderLock(
  held: HeldLock,
  file: string,
  args: readonly string[],
): Promise<number> {
  return new Promise((resolve, reject) => {
    let child: ChildProcess | undefined;
    const signalGroup = (signal: NodeJS.Signals): void => {
      if (child?.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        // The group is gone already.
      }
    };
    // Listening begins first: the command may be at work, and a signal here, before spawn returns.
    const stopListening = forwardStops(held, signalGroup);
    const finish = (): void => {
      stopListening();
      // What the command left running would go on without the lock.
      signalGroup('SIGKILL');
    };
    child = spawn(file, args, { stdio: 'inherit', detached: true, env: lockEnvironment(held) });
    child.once('error', (error) => {
      finish();
      reject(new ExitError(EXIT.usage, `cannot run '${file}': ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      finish();
      if (held.signal.aborted) {
        const reason: unknown = held.signal.reason;
        const why = reason instanceof Error ? errorLine(reason) : 'it could not be renewed';
        reject(new ExitError(EXIT.unknown, `the lock is lost, so the command was killed: ${why}`));
      } else {
        resolve(code ?? SIGNALLED + (signal === null ? 0 : constants.signals[signal]));
      }
    });
  });
}

/** Passes signals that end us on to the command; kills it when the lock or this process ends. */
function forwardStops(held: HeldLock, signalGroup: (signal: NodeJS.Signals) => void): () => void {
  const kill = (): void => signalGroup('SIGKILL');
  held.signal.addEventListener('abort', kill, { once: true });
  for (const signal of STOP_SIGNALS) process.on(signal, signalGroup);
  process.once('exit', kill);
  return () => {
    held.signal.removeEventListener('abort', kill);
    for (const signal of STOP_SIGNALS) process.off(signal, signalGroup);
    process.off('exit', kill);
  };
}

function lockEnvironment(held: HeldLock): NodeJS.ProcessEnv {
  return {
    ...process.env,
    HOLDFAST_LOCK_NAME: held.name,
    HOLDFAST_LOCK_SESSION: String(held.session),
    HOLDFAST_LOCK_TOKEN: String(held.token),
  };
}
