/** fast-check generators of commands of tables: few of everything, so that they meet. */
import * as fc from 'fast-check';
import type {
  ConnectionId,
  EdgeRequest,
  SessionId,
  TableCommand,
} from '../../src/registry/index.ts';

export const TABLES: readonly string[] = ['t', 'tt'];
const table = fc.constantFrom(...TABLES);
const key = fc.constantFrom('a', 'b', 'aa', `a/${'0'.repeat(15)}1`, '\0');
export const anySession: fc.Arbitrary<SessionId> = fc
  .integer({ min: 1, max: 12 })
  .map((id) => id as SessionId);
const peer: fc.Arbitrary<SessionId> = fc.oneof(
  { weight: 19, arbitrary: anySession },
  { weight: 1, arbitrary: fc.constantFrom(0, 1e9).map((id) => id as SessionId) },
);
const connection: fc.Arbitrary<ConnectionId> = fc
  .integer({ min: 8, max: 40 })
  .map((id) => id as ConnectionId);
const edge = fc.constantFrom('link', 'forward_link', 'backward_link', 'monitor');
const request: fc.Arbitrary<EdgeRequest> = fc.record({ edge, peer });
const value = fc.constantFrom('', 'x', 'y').map((text) => new Uint8Array(Buffer.from(text)));

export const anyTableCommand: fc.Arbitrary<TableCommand> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('openTable' as const), table, linked: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('dropTable' as const), table }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('tableStore' as const),
      table,
      key,
      value,
      connect: fc.option(request, { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('tableErase' as const), table, key }) },
  {
    weight: 10,
    arbitrary: fc.tuple(table, key, request).map(([inTable, at, how]) => ({
      type: 'tableConnect' as const,
      table: inTable,
      key: at,
      ...how,
    })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('tableDisconnect' as const),
      table,
      key,
      peer,
      connection,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('tableDisconnectAll' as const), table, key, peer }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('acknowledgeNotices' as const),
      session: anySession,
      connections: fc.array(connection, { maxLength: 3 }),
    }),
  },
);
