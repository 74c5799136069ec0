/** What many sessions cost: each is renewed every few seconds. */
import { contestOfLoads, inFlightPoints, limit, ours } from './contestants.ts';
import { LOAD_COLUMNS, type Family } from './family.ts';

const IN_FLIGHT = [100, 1000];
const SESSIONS = 10_000;

export const sessions: Family = {
  name: 'sessions',
  about: `renewals of ${SESSIONS.toLocaleString('en')} sessions, three nodes`,
  columns: LOAD_COLUMNS,
  headline: 'perSecond',
  limitOf: (contestant) => (contestant.startsWith('limit') ? undefined : 'limit no disk'),
  run: (bench) =>
    contestOfLoads(bench, 'sessions', inFlightPoints(bench, IN_FLIGHT), [
      ...bench.options.stores.map((store) =>
        ours(bench, store, { store, nodes: 3 }, { operation: 'keep-alive', sessions: SESSIONS }),
      ),
      ...limit(bench, 'limit no disk', 'none', 'get'),
    ]),
};
