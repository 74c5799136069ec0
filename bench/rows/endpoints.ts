/** Five nodes against three, and clients that stay where they are against clients of the leader. */
import type { LoadPoint } from './contestants.ts';
import { contestOfLoads, inFlightPoints, ours } from './contestants.ts';
import { LOAD_COLUMNS, type Bench, type Entrant, type Family } from './family.ts';

const IN_FLIGHT = [1, 100, 1000];
const FEW = 3;
const MANY = 5;

function entrants(bench: Bench, operation: 'put' | 'get'): Entrant<LoadPoint>[] {
  return bench.options.stores.flatMap((store) => [
    ours(bench, `${store} ${FEW}`, { store, nodes: FEW }, { operation }),
    ours(bench, `${store} ${FEW} any`, { store, nodes: FEW }, { operation, route: 'any' }),
    ours(bench, `${store} ${MANY}`, { store, nodes: MANY }, { operation }),
    ours(bench, `${store} ${MANY} any`, { store, nodes: MANY }, { operation, route: 'any' }),
  ]);
}

function family(name: string, operation: 'put' | 'get', about: string): Family {
  return {
    name,
    about,
    columns: LOAD_COLUMNS,
    headline: 'perSecond',
    drawn: 'load',
    // What it costs not to be three nodes whose leader is asked.
    peerOf: (contestant) => {
      const [store] = contestant.split(' ');
      return contestant === `${store} ${FEW}` ? undefined : `${store} ${FEW}`;
    },
    run: (bench) =>
      contestOfLoads(bench, name, inFlightPoints(bench, IN_FLIGHT), entrants(bench, operation)),
  };
}

export const putEndpoints: Family = family(
  'put-endpoints',
  'put',
  'durable puts: three and five nodes, by the leader and by any endpoint',
);
export const getEndpoints: Family = family(
  'get-endpoints',
  'get',
  'linearizable gets: three and five nodes, by the leader and by any endpoint',
);
