/** Commands and queries as a client would encode them. */
import {
  encodeCommand,
  type CommandHeader,
  type KeyEvent,
  type RegistryCommand,
  type RevisionEvents,
  type SessionId,
} from '../../../src/registry/index.ts';

const HEADER: CommandHeader = {
  session: 0 as SessionId,
  sequence: 0,
  acknowledged: 0,
  node: 'test',
};

export function encoded(command: RegistryCommand): Uint8Array {
  return encodeCommand(HEADER, command);
}

export function put(key: string, value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const options = { ttlMs: 0, ephemeral: false, lock: false };
  return encoded({ type: 'put', key, value: bytes, ...options });
}

export function remove(key: string): Uint8Array {
  return encoded({ type: 'delete', key });
}

export function contains(range: { start: string; end: string | undefined }, key: string): boolean {
  return key >= range.start && (range.end === undefined || key < range.end);
}

/** `revision:type:key=value` of each event, which is all that a test compares. */
export function describeEvents(revisions: readonly RevisionEvents[]): string[] {
  return revisions.flatMap(({ revision, events }) =>
    events.map((event) => describeEvent(revision, event)),
  );
}

export function describeEvent(revision: number, event: KeyEvent): string {
  const value = Buffer.from(event.record.value).toString('latin1');
  return `${revision}:${event.type}:${event.record.key}=${value.slice(0, 20)}`;
}
