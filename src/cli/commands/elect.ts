/** elect: campaign, and lead until stopped or while a command runs; or observe who leads. */
import type { Command } from 'commander';
import type { ElectionEvent, ElectionLeader, Leadership, Registry } from '../../client/index.ts';
import { durationOption, withClient } from '../context.ts';
import { EXIT, errorLine, ExitError, usageError } from '../exit.ts';
import { printJson, printLine, valueForPeople, type Format } from '../output.ts';
import { interruptible, runUnderLock, type Interruptible } from '../under-lock.ts';

interface ElectFlags {
  readonly observe?: boolean;
  readonly try?: boolean;
  readonly wait?: string;
  readonly ttl: string;
}

function leaderJson({ session, token, value, revision }: ElectionLeader): object {
  return { value: valueForPeople(value), session, token, revision };
}

function printEvent(format: Format, event: ElectionEvent): void {
  if (event.type === 'vacant') {
    const { type, revision } = event;
    if (format === 'json') printJson({ type, revision });
    else printLine(`vacant\trevision=${revision}`);
    return;
  }
  const { type, leader } = event;
  if (format === 'json') printJson({ type, ...leaderJson(leader) });
  else printLine(`${type}\t${valueForPeople(leader.value)}\ttoken=${leader.token}`);
}

/** Until the process is asked to stop. */
async function observe(registry: Registry, name: string, format: Format): Promise<void> {
  const stopping = interruptible('the end');
  try {
    const { signal } = stopping;
    for await (const event of registry.election(name).observe({ signal })) {
      printEvent(format, event);
    }
  } finally {
    stopping.end();
  }
}

function printElected(format: Format, { name, session, token }: Leadership): void {
  if (format === 'json') printJson({ name, session, token });
  else printLine(`leading ${name} session=${session} token=${token}`);
}

/** Leads until asked to stop; losing the leadership is an error. */
async function lead(leadership: Leadership, stopping: Interruptible): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of [leadership.signal, stopping.signal]) {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    }
  });
  if (!leadership.signal.aborted) return;
  const reason: unknown = leadership.signal.reason;
  const why = reason instanceof Error ? errorLine(reason) : 'it could not be renewed';
  throw new ExitError(EXIT.unknown, `the leadership is lost: ${why}`);
}

function campaignOptions(flags: ElectFlags): { try?: true; wait?: number; ttl: number } {
  if (flags.try === true && flags.wait !== undefined) {
    throw usageError('--try and --wait exclude each other: --try refuses at once');
  }
  const ttl = durationOption('--ttl', flags.ttl);
  if (flags.try === true) return { try: true, ttl };
  return flags.wait === undefined ? { ttl } : { wait: durationOption('--wait', flags.wait), ttl };
}

async function elect(
  registry: Registry,
  [name, value, file, ...args]: readonly [string, string, ...string[]],
  flags: ElectFlags,
  format: Format,
): Promise<void> {
  const options = campaignOptions(flags);
  const stopping = interruptible('it was elected');
  try {
    const { signal } = stopping;
    await using leadership = await registry.election(name).campaign(value, { ...options, signal });
    if (file === undefined) {
      printElected(format, leadership);
      await lead(leadership, stopping);
      return;
    }
    const running = runUnderLock(leadership, file, args);
    stopping.end();
    const code = await running;
    if (code !== EXIT.ok) throw new ExitError(code);
  } catch (error) {
    throw stopping.interruption() ?? error;
  } finally {
    stopping.end();
  }
}

export function addElectCommand(program: Command): void {
  program
    .command('elect <name> [value] [command...]')
    .description('lead whoever campaigns under this name; or --observe who leads')
    .option('--observe', 'print leaders, proclamations and vacancies as they come')
    .option('--try', 'refuse at once when another leads')
    .option('--wait <duration>', 'wait at most this long; the default waits without end')
    .option('--ttl <duration>', 'how long the leadership outlives its leader', '10s')
    .addHelpText(
      'after',
      `
Waits to be elected, proclaims VALUE, and leads until stopped; with "-- command", while the command
runs, which sees HOLDFAST_LOCK_NAME, HOLDFAST_LOCK_SESSION and HOLDFAST_LOCK_TOKEN, and is killed
before another can lead.

Examples:
  holdfast elect jobs/leader 10.0.0.7:8080 -- ./serve.sh
  holdfast elect jobs/leader --observe`,
    )
    .action(
      async (
        name: string,
        value: string | undefined,
        words: string[],
        flags: ElectFlags,
        command: Command,
      ) => {
        await withClient(command, async ({ client: { registry }, options: { format } }) => {
          if (flags.observe === true) {
            if (value !== undefined) throw usageError('elect takes a value or --observe, not both');
            await observe(registry, name, format);
          } else {
            if (value === undefined)
              throw usageError('elect needs a value to proclaim, or --observe');
            await elect(registry, [name, value, ...words], flags, format);
          }
        });
      },
    );
}
