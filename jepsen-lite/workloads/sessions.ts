/**
 * Sessions that are renewed, closed, and left to die, with ephemeral keys and entries of a table
 * that hang on them by edges of every type; and keepers that are told of what goes.
 */
import type { EdgeType, Session, StoreOutcome, Table } from '../../src/client/index.ts';
import { sessions } from '../checkers/sessions.ts';
import { below, pick } from './chance.ts';
import { Keeper } from './keepers.ts';
import { closeSession, openSession, renew, SETTLE_MS, TTL_MS } from './session-use.ts';
import type { Answer, CreateWorkload, WorkloadContext } from './workload.ts';

const TABLE = 'workers';
const EDGE_TYPES: readonly EdgeType[] = ['link', 'forward_link', 'backward_link', 'monitor'];
const MAX_PAUSE_MS = 150;
const OPENING_ATTEMPTS = 50;

/** What all clients of a run know of each other. */
interface Shared {
  /** Keys of entries that were stored lately. */
  readonly keys: string[];
  /** Ephemeral keys by the session they live with; put, and never deleted. */
  readonly ephemerals: Map<number, string>;
  readonly keepers: Keeper[];
  stored: number;
}

export const sessionsWorkload: CreateWorkload = () => {
  const shared: Shared = { keys: [], ephemerals: new Map(), keepers: [], stored: 0 };
  return {
    name: 'sessions',
    promise: 'no session ends early, and what hangs on one goes once, and is told once',
    trustsClocks: true,
    checkers: [sessions],
    async run(context) {
      const table = await openTable(context);
      if (table === undefined) return;
      let keeper: Keeper | undefined;
      while (!context.stopped()) {
        if (keeper?.isOver !== false) keeper = await nextKeeper(context, shared, keeper);
        await liveOnce(context, table, shared, keeper);
        await context.pause(context.random() * MAX_PAUSE_MS);
      }
    },
    finish: (context) => lookAtTheEnd(context, shared),
  };
};

/** A cluster without a leader for long ends them all: then there are others. */
async function nextKeeper(
  context: WorkloadContext,
  shared: Shared,
  last: Keeper | undefined,
): Promise<Keeper | undefined> {
  await last?.stop();
  const keeper = await Keeper.open(context);
  if (keeper !== undefined) shared.keepers.push(keeper);
  return keeper;
}

async function openTable(context: WorkloadContext): Promise<Table | undefined> {
  for (let attempt = 0; attempt < OPENING_ATTEMPTS; attempt++) {
    const table = await context.invoke('open-table', {}, () => context.registry.table(TABLE));
    if (table !== undefined) return table;
    await context.pause(MAX_PAUSE_MS);
  }
  return undefined;
}

/** One session, from its opening to its end, which it may come to in several ways. */
async function liveOnce(
  context: WorkloadContext,
  table: Table,
  shared: Shared,
  keeper: Keeper | undefined,
): Promise<void> {
  const session = await openSession(context, {
    keepAlive: false,
    trapExits: context.random() < 0.7,
  });
  if (session === undefined) return;
  await putEphemeral(context, session, shared);
  const key = `worker/${shared.stored++}`;
  await store(context, table, key, session);
  shared.keys.push(key);
  if (shared.keys.length > 20) shared.keys.shift();
  for (let step = 1 + below(context, 6); step > 0 && !context.stopped(); step--) {
    await act(context, table, shared, keeper);
    await context.pause(context.random() * MAX_PAUSE_MS);
    if (!(await renew(context, session))) return;
  }
  if (context.random() < 0.5) await closeSession(context, session);
  else context.note('abandoned', { value: { session: session.id, ttlMs: TTL_MS } });
}

async function putEphemeral(
  context: WorkloadContext,
  session: Session,
  shared: Shared,
): Promise<void> {
  const key = `ephemeral/${session.id}`;
  const put = await context.invoke(
    'put',
    { key, value: 'up' },
    () => context.registry.put(key, 'up', { session, ephemeral: true }),
    ({ modRevision }) => ({ output: null, revision: modRevision }),
  );
  if (put !== undefined) shared.ephemerals.set(session.id, key);
}

async function store(
  context: WorkloadContext,
  table: Table,
  key: string,
  session: Session,
): Promise<void> {
  const type = pick(context, EDGE_TYPES);
  await context.invoke(
    'store',
    { key, value: { table: TABLE, type, peer: session.id } },
    () => table.storeConnect(type, session, key, 'up'),
    storeAnswer,
  );
}

function storeAnswer(outcome: StoreOutcome): Answer {
  if (!outcome.stored) return { output: { stored: false } };
  return {
    output: { stored: true, connection: outcome.connection?.id ?? null },
    revision: outcome.record.modRevision,
  };
}

/** Something about whatever is there, mostly of others. */
async function act(
  context: WorkloadContext,
  table: Table,
  shared: Shared,
  keeper: Keeper | undefined,
): Promise<void> {
  const chance = context.random();
  if (chance < 0.3) {
    await lookAtEphemeral(context, shared);
  } else if (chance < 0.4) {
    await listEntries(context, table);
  } else if (shared.keys.length > 0) {
    const key = pick(context, shared.keys);
    if (chance < 0.5) {
      await context.invoke('erase', { key, value: { table: TABLE } }, () => table.erase(key));
    } else if (keeper !== undefined) {
      await connect(context, table, key, keeper);
    }
  }
}

async function connect(
  context: WorkloadContext,
  table: Table,
  key: string,
  { session }: Keeper,
): Promise<void> {
  const type = pick(context, ['forward_link', 'monitor', 'monitor'] as const);
  const connection = await context.invoke(
    'connect',
    { key, value: { table: TABLE, type, peer: session.id } },
    () => table.connect(type, session, key),
    ({ id }) => ({ output: id }),
  );
  if (connection === undefined || context.random() < 0.8) return;
  const value = { connection: connection.id };
  await context.invoke('disconnect', { key, value }, () => table.disconnect(connection));
}

/** A key that lives with a session, and that nobody deletes, is gone only when that is over. */
async function lookAtEphemeral(context: WorkloadContext, shared: Shared): Promise<void> {
  const known = [...shared.ephemerals];
  if (known.length === 0) return;
  const [session, key] = pick(context, known);
  const looked = await context.invoke(
    'ephemeral',
    { key },
    async () => ({ record: await context.registry.get(key) }),
    ({ record }) => ({ output: record === undefined ? null : { session: record.session } }),
  );
  if (looked === undefined || looked.record !== undefined) return;
  context.note('session-gone', { value: { session } });
  shared.ephemerals.delete(session);
}

async function listEntries(context: WorkloadContext, table: Table): Promise<void> {
  await context.invoke(
    'entries',
    { value: { table: TABLE } },
    () => table.toList(),
    (entries) => ({ output: entries.map(({ key }) => key) }),
  );
}

async function listSessions(context: WorkloadContext): Promise<void> {
  await context.invoke(
    'sessions',
    {},
    () => context.registry.sessions(),
    (all) => ({ output: all.map(({ id }) => id) }),
  );
}

/** Everything is resolved: entries and sessions that are over are gone, and keepers were told. */
async function lookAtTheEnd(context: WorkloadContext, shared: Shared): Promise<void> {
  context.note('healed', {});
  const table = await openTable(context);
  if (table === undefined) return;
  await liveOnce(context, table, shared, undefined);
  await context.pause(SETTLE_MS + TTL_MS);
  await listSessions(context);
  await listEntries(context, table);
  const drained: number[] = [];
  for (const keeper of shared.keepers) {
    if (await keeper.hasReadAll(context, table)) drained.push(keeper.session.id);
  }
  context.note('drained', { value: { sessions: drained } });
  await listSessions(context);
  await Promise.all(shared.keepers.map((one) => one.stop()));
}
