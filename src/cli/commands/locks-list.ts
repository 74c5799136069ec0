/** locks: what is locked, by whom; lock-break: an operator's release. */
import type { Command } from 'commander';
import type { LockDetails, LockPlace } from '../../client/index.ts';
import { numberOption, withClient } from '../context.ts';
import { examples } from '../help.ts';
import {
  inOneLine,
  printJson,
  printLine,
  table,
  valueForPeople,
  valueText,
  type Format,
} from '../output.ts';

/** Each page of the list; the server may give fewer at once. */
const PAGE = 500;

function placeJson(place: LockPlace): Record<string, unknown> {
  const { session, token, mode, permits, delayed, ageMs, remainingMs, metadata } = place;
  const text = valueText(metadata);
  return {
    session,
    token,
    mode,
    permits,
    delayed,
    ageMs,
    remainingMs: remainingMs ?? null,
    metadata: text ?? Buffer.from(metadata).toString('base64'),
    ...(text === undefined ? { metadataEncoding: 'base64' } : {}),
  };
}

function lockJson(lock: LockDetails): Record<string, unknown> {
  const { name, mode, limit, permits, held, waiting, holders } = lock;
  return { name, mode, limit, permits, held, waiting, holders: holders.map(placeJson) };
}

function modeOf({ mode, permits, limit }: LockDetails): string {
  return mode === 'semaphore' ? `${permits} of ${limit}` : mode;
}

function seconds(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${(ms / 1000).toFixed(1)} s`;
}

function printLocks(format: Format, locks: readonly LockDetails[]): void {
  if (format === 'json') printJson(locks.map(lockJson));
  else if (format === 'simple') {
    for (const lock of locks) {
      const [first] = lock.holders;
      const more = lock.held > 1 ? `+${lock.held - 1}` : '';
      const holder = `session=${first?.session}${more}\ttoken=${first?.token}`;
      printLine(`${inOneLine(lock.name)}\t${modeOf(lock)}\t${holder}\twaiting=${lock.waiting}`);
    }
  } else {
    const head = ['name', 'mode', 'session', 'token', 'waiting', 'age', 'left', 'metadata'];
    const rows = locks.flatMap((lock) =>
      lock.holders.map((holder) => [
        lock.name,
        modeOf(lock),
        holder.delayed ? `${holder.session} (expired)` : holder.session,
        holder.token,
        lock.waiting,
        seconds(holder.ageMs),
        seconds(holder.remainingMs),
        valueForPeople(holder.metadata),
      ]),
    );
    printLine(table(head, rows));
  }
}

export function addLockListCommands(program: Command): void {
  program
    .command('locks [prefix]')
    .description('locks that are held: mode, holders, how many wait, age and time left')
    .option('--limit <count>', 'at most so many')
    .addHelpText('after', examples('holdfast locks jobs/ -w table', 'holdfast locks --limit 20'))
    .action(async (prefix: string | undefined, flags: { limit?: string }, command: Command) => {
      const wanted = flags.limit === undefined ? Infinity : numberOption('--limit', flags.limit);
      await withClient(command, async ({ client, options: { format } }) => {
        const locks: LockDetails[] = [];
        let more = true;
        while (more && locks.length < wanted) {
          const after = locks.at(-1)?.nameBytes;
          const page = await client.registry.locks({
            limit: Math.min(PAGE, wanted - locks.length),
            ...(prefix === undefined ? {} : { prefix }),
            ...(after === undefined ? {} : { after }),
          });
          locks.push(...page.locks);
          ({ more } = page);
        }
        printLocks(format, locks);
      });
    });

  program
    .command('lock-break <name>')
    .description("for operators: release a holder's lock, on record in the history")
    .requiredOption('--token <token>', "the holder's fencing token, as `holdfast locks` shows it")
    .requiredOption('--reason <text>', 'why; watchers of the lock see it')
    .addHelpText(
      'after',
      `
The holder is told, but may still be at work: only a resource that checks fencing tokens is safe.
${examples("holdfast lock-break jobs/nightly --token 42 --reason 'host-7 hangs'")}`,
    )
    .action(async (name: string, flags: { token: string; reason: string }, command: Command) => {
      const token = numberOption('--token', flags.token);
      await withClient(command, async ({ client, options: { format } }) => {
        await client.registry.breakLock(name, token, flags.reason);
        if (format === 'json') printJson({ name, token, broken: true });
        else printLine('OK');
      });
    });
}
