import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  entryEdgePrefix,
  tableKey,
  type RegistryResult,
  type SessionId,
} from '../../src/registry/index.ts';
import { NONE, Rig, textOf } from './rig.ts';
import { anySession, anyTableCommand, TABLES } from './table-generate.ts';
import { TableModel, type ModelAnswer, type ModelCommand, type ModelEdge } from './table-model.ts';
import { NOBODY, TableRig } from './table-rig.ts';

const RUNS = Number(process.env['REGISTRY_RUNS'] ?? 150);
const LIMITS = { maxSessionEdges: 6, maxTableRecords: 12 };
const MAX_STEPS = 80;

/** A command, or one to be made of what is there when its turn comes. */
type Move =
  | { readonly type: 'do'; readonly acting: SessionId; readonly command: ModelCommand }
  | { readonly type: 'disconnect' | 'acknowledge' | 'endSession'; readonly pick: number };

const anyMove: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant('do' as const),
      acting: fc.oneof({ weight: 3, arbitrary: fc.constant(NOBODY) }, anySession),
      command: anyTableCommand,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map((trapExits) => {
      const command = { type: 'openSession', ttlMs: 1e4, label: '', metadata: NONE } as const;
      return { type: 'do' as const, acting: NOBODY, command: { ...command, trapExits } };
    }),
  },
  {
    weight: 1,
    arbitrary: fc.array(anySession, { maxLength: 3 }).map((sessions) => {
      const command = { type: 'expireSessions', sessions } as const;
      return { type: 'do' as const, acting: NOBODY, command };
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('disconnect', 'acknowledge', 'endSession'),
      pick: fc.nat({ max: 1000 }),
    }),
  },
);

/** Seven sessions, of which every other traps exits, and two tables, one of them linked. */
const OPENING: readonly Move[] = [
  ...[true, false, true, false, false, true, false].map((trapExits): Move => {
    const command = { type: 'openSession', ttlMs: 1e4, label: '', metadata: NONE } as const;
    return { type: 'do', acting: NOBODY, command: { ...command, trapExits } };
  }),
  ...TABLES.map((table, i): Move => {
    const command = { type: 'openTable', table, linked: i > 0 } as const;
    return { type: 'do', acting: (i > 0 ? 5 : 0) as SessionId, command };
  }),
];

/** Undefined when there is nothing to pick. */
function commandOf(move: Move, model: TableModel): [SessionId, ModelCommand] | undefined {
  if (move.type === 'do') return [move.acting, move.command];
  const { type, pick } = move;
  if (type === 'endSession') {
    const session = at([...model.sessions.keys()], pick) ?? NOBODY;
    return [NOBODY, { type: 'closeSession', session }];
  }
  const one: ModelEdge | undefined = at(
    type === 'disconnect' ? [...model.edges, ...model.notices] : model.notices,
    pick,
  );
  if (one === undefined) return undefined;
  const { table, key, peer, connection } = one;
  const command: ModelCommand =
    type === 'disconnect'
      ? { type: 'tableDisconnect', table, key, peer, connection }
      : { type: 'acknowledgeNotices', session: peer, connections: [connection] };
  return [NOBODY, command];
}

function at<Item>(items: readonly Item[], pick: number): Item | undefined {
  return items.length === 0 ? undefined : items[pick % items.length];
}

function answerOf(result: RegistryResult): ModelAnswer {
  if (result.type === 'error') return { refused: result.code };
  if (result.type === 'table') return { existed: result.existed };
  if (result.type === 'connections') return { connections: result.connections };
  if (result.type !== 'stored') return { done: true };
  const { stored, record, connection } = result;
  return { stored, text: textOf(record)!, connection };
}

/** Everything there is in the registry is what there is in the model, and nothing else. */
function compare(rig: TableRig, model: TableModel): void {
  assert.deepEqual(rig.openSessions(), [...model.sessions.keys()]);
  const owners = TABLES.map((table) => rig.get(tableKey(table))?.session);
  assert.deepEqual(
    owners,
    TABLES.map((table) => model.tables.get(table)),
  );
  for (const table of TABLES) {
    const entries = model.entries.filter((one) => one.table === table);
    assert.deepEqual(
      rig.entries(table),
      entries.map(({ key, text }) => [key, text]).toSorted(([a], [b]) => (a! < b! ? -1 : 1)),
    );
  }
  const edges = model.edges.map(({ table, key, connection }) => {
    return entryEdgePrefix(table, key) + connection.toString(16).padStart(16, '0');
  });
  assert.deepEqual(rig.edgeKeys(), edges.toSorted());
  for (const session of model.sessions.keys()) {
    const notices = model.notices.filter(({ peer }) => peer === session);
    assert.deepEqual(
      rig.notices(session),
      notices.toSorted((a, b) => a.connection - b.connection),
    );
  }
  const { tables, entries, notices } = model;
  const records = tables.size + entries.length + edges.length + notices.length;
  assert.equal(rig.keys().length, records);
}

test('[TABLE-15] [T10] tables under random commands are what a naive model is', () => {
  fc.assert(
    fc.property(
      fc.array(anyMove, { maxLength: MAX_STEPS, size: 'max' }),
      fc.nat({ max: MAX_STEPS }),
      (moves, restoredAt) => {
        const rig = new TableRig(LIMITS);
        let copy = new Rig(LIMITS);
        const model = new TableModel(LIMITS.maxSessionEdges, LIMITS.maxTableRecords);
        for (const [step, move] of [...OPENING, ...moves].entries()) {
          const chosen = commandOf(move, model);
          if (chosen !== undefined) {
            const [acting, command] = chosen;
            const expected = model.apply(acting, command, rig.index + 1);
            const { revision } = rig.machine;
            const result = rig.do(command, { session: acting });
            assert.deepEqual(answerOf(result), expected, JSON.stringify(command));
            assert.ok(rig.machine.revision <= revision + 1, 'one revision');
            assert.deepEqual(copy.do(command, { session: acting }), result);
          }
          if (step === restoredAt) copy = copy.restored(copy.snapshot());
          compare(rig, model);
        }
        assert.ok(copy.snapshot().equals(rig.snapshot()));
      },
    ),
    { numRuns: RUNS },
  );
});
