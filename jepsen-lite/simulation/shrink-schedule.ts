/** Smaller forms of a whole schedule: less time, fewer nodes, fewer clients, shorter gaps. */
import { LEADER, type DirectedLink, type Fault } from '../faults/fault.ts';
import { nodeName } from './cluster.ts';
import { lastClient } from './configuration.ts';
import type { WholeSchedule } from './shrink.ts';

/** Gaps are closed down to this. */
const SHORT_GAP_MS = 20;
/** Fewer entries between snapshots than any seed draws. */
const EAGER_ENTRIES = 4;

/** The faults end there, and what was to begin later does not. */
export function upTo(schedule: WholeSchedule, endMs: number): WholeSchedule {
  const faultsMs = Math.ceil(endMs);
  const faults = schedule.faults.filter(({ atMs }) => atMs < faultsMs);
  return { ...schedule, faults, configuration: { ...schedule.configuration, faultsMs } };
}

/**
 * Only what happens from `fromMs` after the faults began, and that much sooner.
 * @param faultsFromMs when the faults begin, since operations count from the beginning of the run
 */
export function since(
  schedule: WholeSchedule,
  fromMs: number,
  faultsFromMs: number,
): WholeSchedule {
  const { configuration } = schedule;
  const byMs = Math.floor(fromMs);
  const sooner = <T extends { readonly atMs: number }>(one: T): T => ({
    ...one,
    atMs: one.atMs - byMs,
  });
  // What the workload sets up is called before the faults begin.
  const isKept = ({ atMs }: { readonly atMs: number }): boolean =>
    atMs < faultsFromMs || atMs >= faultsFromMs + byMs;
  return {
    ...schedule,
    configuration: { ...configuration, faultsMs: Math.max(1, configuration.faultsMs - byMs) },
    faults: schedule.faults.filter(({ atMs }) => atMs >= byMs).map(sooner),
    operations: schedule.operations
      .filter(isKept)
      .map((one) => (one.atMs < faultsFromMs ? one : sooner(one))),
  };
}

/** Only the first nodes are left, and the faults that concern no others. */
export function fewerNodes(schedule: WholeSchedule, nodes: number): WholeSchedule {
  const { configuration } = schedule;
  const left = new Set<string>(Array.from({ length: nodes }, (_, i) => nodeName(i)));
  const smaller = {
    ...configuration,
    nodes,
    disks: configuration.disks.slice(0, nodes),
    clockRates: configuration.clockRates.slice(0, nodes),
  };
  const [last, newLast] = [lastClient(configuration), lastClient(smaller)];
  return {
    ...schedule,
    configuration: smaller,
    operations: schedule.operations.map((one) =>
      one.client === last ? { ...one, client: newLast } : one,
    ),
    faults: schedule.faults.flatMap((fault) => amongNodes(fault, left)),
  };
}

function amongNodes(fault: Fault, left: ReadonlySet<string>): readonly Fault[] {
  const isLeft = (node: string): boolean => node === LEADER || left.has(node);
  if (fault.type === 'partition') {
    const links = fault.links.filter((link: DirectedLink) => link.every(isLeft));
    const isGone = links.length === 0 && fault.links.length > 0;
    return isGone ? [] : [{ ...fault, links }];
  }
  const named = [
    ...('node' in fault ? [fault.node] : []),
    ...('from' in fault ? [fault.from] : []),
    ...('to' in fault ? [fault.to] : []),
  ];
  return named.every(isLeft) ? [fault] : [];
}

/** Snapshots as often as may be: a run that needs one needs fewer operations then. */
export function eagerSnapshots(schedule: WholeSchedule): WholeSchedule | undefined {
  const { configuration } = schedule;
  const { settings } = configuration;
  if ((settings.snapshotEveryEntries ?? Infinity) <= EAGER_ENTRIES) return undefined;
  const eager = { ...settings, snapshotEveryEntries: EAGER_ENTRIES, trailingEntries: 0 };
  return { ...schedule, configuration: { ...configuration, settings: eager } };
}

/** Without the last clients if they call nothing; undefined when each is needed. */
export function fewerClients(schedule: WholeSchedule): WholeSchedule | undefined {
  const { clients } = schedule.configuration;
  // Those beyond the clients are the harness's own, for the last reads.
  const busy = schedule.operations.map(({ client }) => client).filter((one) => one < clients);
  const needed = Math.max(0, ...busy.map((client) => client + 1));
  if (needed === clients) return undefined;
  const gone = clients - needed;
  return {
    ...schedule,
    configuration: { ...schedule.configuration, clients: needed },
    operations: schedule.operations.map((one) =>
      one.client < clients ? one : { ...one, client: one.client - gone },
    ),
    faults: schedule.faults.filter((fault) => !('client' in fault) || fault.client < needed),
  };
}

/**
 * One of the long gaps between two things that happen is all but closed; undefined when there are
 * not as many.
 * @param rank 0 is the longest
 * @param fromMs when the faults begin, since operations count from the beginning of the run
 */
export function gapClosed(
  schedule: WholeSchedule,
  rank: number,
  fromMs: number,
): WholeSchedule | undefined {
  const { faults, operations, configuration } = schedule;
  const called = operations.map(({ atMs }) => atMs - fromMs).filter((atMs) => atMs > 0);
  const times = [0, ...faults.map(({ atMs }) => atMs), ...called].toSorted((a, b) => a - b);
  const gaps = times
    .map((atMs, i) => ({ atMs, lengthMs: (times[i + 1] ?? atMs) - atMs }))
    .filter(({ lengthMs }) => lengthMs > 2 * SHORT_GAP_MS)
    .toSorted((a, b) => b.lengthMs - a.lengthMs);
  const gap = gaps[rank];
  if (gap === undefined) return undefined;
  const byMs = Math.floor(gap.lengthMs - SHORT_GAP_MS);
  const sooner = <T extends { readonly atMs: number }>(one: T, afterMs: number): T =>
    one.atMs > afterMs ? { ...one, atMs: one.atMs - byMs } : one;
  return {
    ...schedule,
    configuration: { ...configuration, faultsMs: Math.max(1, configuration.faultsMs - byMs) },
    faults: faults.map((fault) => sooner(fault, gap.atMs)),
    operations: operations.map((operation) => sooner(operation, fromMs + gap.atMs)),
  };
}
