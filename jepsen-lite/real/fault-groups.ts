/** What `--faults` takes: groups of the faults that real processes can be given. */
import type { Fault } from '../faults/fault.ts';

const GROUPS = ['kill', 'pause', 'partition', 'clock', 'disk', 'member'] as const;

export type FaultGroup = (typeof GROUPS)[number];

export const ALL_GROUPS: readonly FaultGroup[] = GROUPS;

const KINDS: Readonly<Record<FaultGroup, readonly Fault['type'][]>> = {
  kill: ['crash', 'powerLoss'],
  pause: ['pause', 'clientPause'],
  partition: ['partition', 'weather', 'slowLink', 'clientCut'],
  clock: ['clockRate', 'clockJump'],
  disk: ['disk', 'damage', 'wipe', 'oldDisk'],
  member: ['membership', 'transfer'],
};

export function kindsOf(groups: readonly FaultGroup[]): ReadonlySet<string> {
  return new Set(groups.flatMap((group) => KINDS[group]));
}
