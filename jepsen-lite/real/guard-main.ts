/**
 * The process of a `Guard`. Told on stdin which processes begin (`+PID`) and end (`-PID`); when
 * stdin is over, so is whoever wrote to it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 5;
const PATIENCE_MS = 10_000;
/** Where the time at which a process began stands in its line of `/proc`, behind its name. */
const START_FIELD = 19;

/** With what it was when it was told of: a number may be given to another process later. */
const living = new Map<number, string>();

/** '' for one that is gone; the same for all where there is no `/proc`. */
function identityOf(pid: number): string {
  if (!existsSync('/proc/self/stat')) return isThere(pid) ? 'there' : '';
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    const isGone = fields[0] === 'Z' || fields[0] === 'X';
    return isGone ? '' : (fields[START_FIELD] ?? '');
  } catch {
    return '';
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Also one that is stopped dies of it. */
async function end(pid: number, identity: string): Promise<void> {
  if (identity === '') return;
  const deadline = performance.now() + PATIENCE_MS;
  while (identityOf(pid) === identity && performance.now() < deadline) {
    if (isThere(pid)) process.kill(pid, 'SIGKILL');
    await sleep(POLL_MS);
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith('+')) living.set(pid, identityOf(pid));
  else living.delete(pid);
}
await Promise.all([...living].map(([pid, identity]) => end(pid, identity)));
const [directory] = process.argv.slice(2);
if (directory !== undefined) await rm(directory, { recursive: true, force: true, maxRetries: 3 });
