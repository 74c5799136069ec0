/** Processor time and memory of processes, as `/proc` tells it. */
import { readFile } from 'node:fs/promises';

/** Of `/proc`: clock ticks a second. */
const TICKS_PER_SECOND = 100;

export interface Usage {
  /** Since the process began, of all its threads. */
  readonly cpuMs: number;
  readonly residentMiB: number;
}

/** What a process has used; undefined where the system does not tell, or it is gone. */
export async function usageOf(pid: number | undefined): Promise<Usage | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const kib = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
    return { cpuMs: (ticks / TICKS_PER_SECOND) * 1000, residentMiB: kib / 1024 };
  } catch {
    return undefined;
  }
}

/** Of several processes together; undefined when one of them does not tell. */
export async function cpuMsOf(pids: readonly (number | undefined)[]): Promise<number | undefined> {
  const all = await Promise.all(pids.map(usageOf));
  let sum = 0;
  for (const usage of all) {
    if (usage === undefined) return undefined;
    sum += usage.cpuMs;
  }
  return sum;
}
