/** Commands and queries as a client would encode them. */
import {
  encodeCommand,
  RegistryStateMachine,
  resolveLimits,
  type CommandHeader,
  type KeyEvent,
  type KeyRecord,
  type RegistryCommand,
  type RegistryLimits,
  type RevisionEvents,
  type SessionId,
} from '../../../src/registry/index.ts';
import type { WatchFilter } from '../../../src/protocol/index.ts';

const HEADER: CommandHeader = {
  session: 0 as SessionId,
  sequence: 0,
  acknowledged: 0,
  node: 'test',
};

export function encoded(command: RegistryCommand): Uint8Array {
  return encodeCommand(HEADER, command);
}

/** A registry in which these limits are in force, by a command before the first. */
export function registryWith(limits: Partial<RegistryLimits>): RegistryStateMachine {
  const machine = new RegistryStateMachine({ limits });
  const command = encoded({ type: 'setLimits', limits: resolveLimits(limits) });
  machine.apply(command, { index: 0, term: 1, time: 0 });
  return machine;
}

export function put(key: string, value: string | Uint8Array, ttlMs = 0): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const options = { ttlMs, ephemeral: false, lock: false };
  return encoded({ type: 'put', key, value: bytes, ...options });
}

export function remove(key: string): Uint8Array {
  return encoded({ type: 'delete', key });
}

export function contains(range: { start: string; end: string | undefined }, key: string): boolean {
  return key >= range.start && (range.end === undefined || key < range.end);
}

export function wants({ types, causes }: WatchFilter, event: KeyEvent): boolean {
  const ofType = types === 'all' || types === event.type;
  return ofType && (causes.length === 0 || causes.includes(event.cause));
}

/** `revision:type:key=value` of each event, and what was before, if wanted. */
export function describeEvents(
  revisions: readonly RevisionEvents[],
  withPrevious = false,
): string[] {
  return revisions.flatMap(({ revision, events }) =>
    events.map((event) => describeEvent(revision, event, withPrevious)),
  );
}

export function describeEvent(revision: number, event: KeyEvent, withPrevious = false): string {
  const { record, previous } = event;
  const text = `${revision}:${event.type}:${record.key}=${valueOf(record)}`;
  return withPrevious && previous !== undefined ? `${text} was ${valueOf(previous)}` : text;
}

function valueOf(record: KeyRecord): string {
  return Buffer.from(record.value).toString('latin1').slice(0, 20);
}
