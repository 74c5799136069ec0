/** lock and unlock; `lock NAME -- command` runs a command for as long as the lock is certain. */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Command } from 'commander';
import type { HeldLock, Lock, LockOptions, Registry, Session } from '../../client/index.ts';
import { durationOption, numberOption, withClient } from '../context.ts';
import { HoldfastError } from '../../base/index.ts';
import { EXIT, errorLine, ExitError, usageError } from '../exit.ts';
import { examples } from '../help.ts';
import { printJson, printLine, table, type Format } from '../output.ts';

interface LockFlags {
  readonly try?: boolean;
  readonly wait?: string;
  readonly ttl: string;
}

function waitOptions(flags: LockFlags): { try?: true; wait?: number } {
  if (flags.try === true && flags.wait !== undefined) {
    throw usageError('--try and --wait exclude each other: --try refuses at once');
  }
  if (flags.try === true) return { try: true };
  return flags.wait === undefined ? {} : { wait: durationOption('--wait', flags.wait) };
}

function addLock(program: Command): void {
  program
    .command('lock <name> [command...]')
    .description('take a lock; with "-- command", run it under the lock and return its exit code')
    .option('--try', 'refuse at once when another holds it')
    .option('--wait <duration>', 'wait at most this long; the default waits without end')
    .option('--ttl <duration>', 'how long the lock outlives its holder', '10s')
    .addHelpText(
      'after',
      `
Without a command the lock is left with a session of its own: it prints session and token for
\`holdfast unlock\`, and the lock goes by itself after --ttl.
With one, the command sees HOLDFAST_LOCK_NAME, HOLDFAST_LOCK_SESSION and HOLDFAST_LOCK_TOKEN, and
is killed before the lock can pass to anyone else; so is, at its end, what it left running. While
\`holdfast\` itself is stopped (SIGSTOP, a frozen machine) it can kill nothing: pass the token to
whatever you guard. It grows from holder to holder, so a resource that refuses smaller ones than it
has seen is safe.
${examples(
  'holdfast lock jobs/nightly --wait 5s -- ./backup.sh',
  'eval "$(holdfast lock jobs/nightly --ttl 1m)"   # sets $session and $token',
  'holdfast unlock jobs/nightly --session "$session" --token "$token"',
)}`,
    )
    .action(async (name: string, words: string[], flags: LockFlags, command: Command) => {
      const ttl = durationOption('--ttl', flags.ttl);
      const wait = waitOptions(flags);
      const [file, ...args] = words;
      await withClient(command, async ({ client, options: { format } }) => {
        const waiting = interruptible();
        try {
          const options = { ...wait, signal: waiting.signal };
          if (file === undefined) {
            printLock(format, await lockAndLeave(client.registry, name, ttl, options), ttl);
            return;
          }
          const code = await client.registry.withLock(name, { ttl, ...options }, (held) => {
            waiting.end();
            return runUnderLock(held, file, args);
          });
          if (code !== EXIT.ok) throw new ExitError(code);
        } catch (error) {
          throw waiting.interruption() ?? commandKilled(error) ?? error;
        } finally {
          waiting.end();
        }
      });
    });
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const SIGNALLED = 128;

interface Interruptible {
  /** Aborts when the process is asked to stop, so that the place in the queue is given up. */
  readonly signal: AbortSignal;
  /** How to exit, when it was. */
  interruption(): ExitError | undefined;
  /** From now on signals do again what they did before. */
  end(): void;
}

function interruptible(): Interruptible {
  const controller = new AbortController();
  let interruption: ExitError | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    const code = SIGNALLED + constants.signals[signal];
    interruption ??= new ExitError(code, `interrupted by ${signal} before the lock was taken`);
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
function commandKilled(error: unknown): ExitError | undefined {
  if (!(error instanceof HoldfastError)) return undefined;
  return error.cause instanceof ExitError ? error.cause : undefined;
}

type WaitOptions = Pick<LockOptions, 'try' | 'wait' | 'signal'>;

/** Takes the lock with a session that outlives this process by `ttlMs`. */
async function lockAndLeave(
  registry: Registry,
  name: string,
  ttlMs: number,
  options: WaitOptions,
): Promise<Lock> {
  const session = await registry.openSession({ ttl: ttlMs, label: 'cli', keepAlive: false });
  const stopRenewing = renewWhileWaiting(session);
  try {
    const lock = await registry.lock(name, { session, ...options });
    await session.keepAlive();
    return lock;
  } catch (error) {
    await session.close().catch(() => undefined);
    throw error;
  } finally {
    stopRenewing();
  }
}

function renewWhileWaiting(session: Session): () => void {
  const timer = setInterval(() => {
    // A failed renewal shows as a lost session to whoever waits for the lock.
    session.keepAlive().catch(() => undefined);
  }, session.ttlMs / 3);
  return () => clearInterval(timer);
}

function printLock(format: Format, lock: Lock, ttlMs: number): void {
  const { name, session, token } = lock;
  if (format === 'json') printJson({ name, session, token, ttlMs });
  else if (format === 'table') {
    printLine(table(['name', 'session', 'token', 'ttl ms'], [[name, session, token, ttlMs]]));
  } else printLine(`session=${session} token=${token}`);
}

/** Runs the command in a process group of its own, so that nothing it started outlives the lock. */
function runUnderLock(held: HeldLock, file: string, args: readonly string[]): Promise<number> {
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

function addUnlock(program: Command): void {
  program
    .command('unlock <name>')
    .description('release a lock that `holdfast lock` took')
    .requiredOption('--session <id>', 'the session that `lock` printed')
    .requiredOption('--token <token>', 'the fencing token that `lock` printed')
    .addHelpText('after', examples('holdfast unlock jobs/nightly --session 7 --token 4'))
    .action(async (name: string, flags: { session: string; token: string }, command: Command) => {
      const lock = {
        session: numberOption('--session', flags.session),
        token: numberOption('--token', flags.token),
      };
      await withClient(command, async ({ client, options: { format } }) => {
        await client.registry.unlock(name, lock);
        if (format === 'json') printJson({ name, ...lock, unlocked: true });
        else printLine('OK');
      });
    });
}

export function addLockCommands(program: Command): void {
  addLock(program);
  addUnlock(program);
}
