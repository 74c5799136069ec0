import type { Connection, Notice, Table } from '../../../src/client/index.ts';
import {
  decodeAnswer,
  encodeQuery,
  noticePrefix,
  type Revision,
  type SessionId,
} from '../../../src/registry/index.ts';
import type { Harness } from './harness.ts';

/** Entries that the registry's own session monitors. */
export interface Edges {
  readonly table: Table;
  readonly session: SessionId;
  readonly keys: readonly string[];
  readonly connections: readonly Connection[];
  readonly ids: readonly number[];
  /** Erases all of them, in order. */
  readonly erase: () => Promise<void>;
}

export async function makeEdges({ time, registry }: Harness, count: number): Promise<Edges> {
  const table = await time.until(registry.table('jobs'));
  const keys = Array.from({ length: count }, (_, i) => `job/${i}`);
  const make = async (key: string): Promise<Connection> => {
    await table.store(key, 'v');
    return await table.connect('monitor', 'self', key);
  };
  const connections: Connection[] = [];
  for (const key of keys) connections.push(await time.until(make(key)));
  const erase = async (): Promise<void> => {
    for (const key of keys) await time.until(table.erase(key));
  };
  const session = connections[0]!.peer as SessionId;
  return { table, session, keys, connections, ids: connections.map(({ id }) => id), erase };
}

export function connectionIds(notices: readonly Notice[]): number[] {
  return notices.map(({ connection }) => connection.id);
}

export async function nextOf(
  { time }: Harness,
  notices: AsyncIterator<Notice, unknown>,
): Promise<Notice> {
  const next = await time.until(notices.next());
  if (next.done === true) throw new Error('the notices ended');
  return next.value;
}

/** Notices of the session that the cluster keeps. */
export function pendingOn({ cluster }: Harness, session: SessionId): number {
  const start = noticePrefix(session);
  const query = encodeQuery({
    type: 'range',
    start,
    end: `${start}\xff`,
    limit: 0,
    keysOnly: true,
    revision: 0 as Revision,
  });
  const answer = decodeAnswer(cluster.registry.query(query));
  if (answer.type !== 'range') throw new Error(`answered with ${answer.type}`);
  return answer.views.length;
}
