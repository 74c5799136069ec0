/** lock and unlock; `lock NAME -- command` runs a command for as long as the lock is certain. */
import type { Command } from 'commander';
import type { Lock, LockOptions, Registry, Session } from '../../client/index.ts';
import { durationOption, numberOption, withClient } from '../context.ts';
import { usageError, EXIT, ExitError } from '../exit.ts';
import { examples } from '../help.ts';
import { printJson, printLine, table, type Format } from '../output.ts';
import { commandKilled, interruptible, runUnderLock } from '../under-lock.ts';

interface LockFlags {
  readonly try?: boolean;
  readonly wait?: string;
  readonly ttl: string;
  readonly shared?: boolean;
  readonly permits?: string;
  readonly limit?: string;
  readonly delay?: string;
  readonly metadata?: string;
}

type HowOptions = Pick<LockOptions, 'mode' | 'permits' | 'limit' | 'lockDelay' | 'metadata'>;

function howOptions({ shared, permits, limit, delay, metadata }: LockFlags): HowOptions {
  if (permits !== undefined && limit === undefined) {
    throw usageError('--permits needs --limit: how many permits there are');
  }
  if (shared === true && limit !== undefined) {
    throw usageError('--shared and --limit exclude each other: readers have no permits');
  }
  return {
    ...(shared === true ? { mode: 'shared' } : {}),
    ...(limit === undefined ? {} : { limit: numberOption('--limit', limit) }),
    ...(permits === undefined ? {} : { permits: numberOption('--permits', permits) }),
    ...(delay === undefined ? {} : { lockDelay: durationOption('--delay', delay) }),
    ...(metadata === undefined ? {} : { metadata }),
  };
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
    .option('--shared', 'hold it together with other readers; writers are kept out')
    .option('--limit <number>', 'use the name as a semaphore of so many permits')
    .option('--permits <number>', 'permits to take, with --limit; the default is 1')
    .option('--delay <duration>', 'keep others out so long after this holder is found dead')
    .option('--metadata <text>', 'shown by `holdfast locks`')
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
  'holdfast lock reports --shared -- ./read-reports.sh',
  'holdfast lock licences --limit 3 -- ./render.sh',
  'eval "$(holdfast lock jobs/nightly --ttl 1m)"   # sets $session and $token',
  'holdfast unlock jobs/nightly --session "$session" --token "$token"',
)}`,
    )
    .action(async (name: string, words: string[], flags: LockFlags, command: Command) => {
      const ttl = durationOption('--ttl', flags.ttl);
      const wait = waitOptions(flags);
      const how = howOptions(flags);
      const [file, ...args] = words;
      await withClient(command, async ({ client, options: { format } }) => {
        const waiting = interruptible('the lock was taken');
        try {
          const options = { ...wait, ...how, signal: waiting.signal };
          if (file === undefined) {
            printLock(format, await lockAndLeave(client.registry, name, ttl, options), ttl);
            return;
          }
          const code = await client.registry.withLock(name, { ttl, ...options }, (held) => {
            const running = runUnderLock(held, file, args);
            waiting.end();
            return running;
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

type WaitOptions = Pick<LockOptions, 'try' | 'wait' | 'signal'> & HowOptions;

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
