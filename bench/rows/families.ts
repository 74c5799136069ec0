/** Every family of rows, in the order they are run. */
import { getEndpoints, putEndpoints } from './endpoints.ts';
import { failover } from './failover.ts';
import type { Family } from './family.ts';
import { inProcess } from './in-process.ts';
import { apply, keys, memory } from './keys.ts';
import { get, mixed, put, transaction, values, weakerGets } from './loads.ts';
import { locks } from './locks.ts';
import { recovery } from './recovery.ts';
import { sessions } from './sessions.ts';
import { longestCalls, snapshots } from './steps.ts';
import { stores } from './stores.ts';
import { watches } from './watches.ts';

export const FAMILIES: readonly Family[] = [
  put,
  get,
  locks,
  inProcess,
  keys,
  recovery,
  failover,
  weakerGets,
  mixed,
  transaction,
  values,
  putEndpoints,
  getEndpoints,
  sessions,
  watches,
  stores,
  apply,
  memory,
  snapshots,
  longestCalls,
];
