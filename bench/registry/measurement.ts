/** One measurement in a process of its own: `node measurement.js JSON` prints its figures. */
import { unreachable } from '../../src/base/index.ts';
import { bareMapCost, insertCost, overwriteCost } from './cost-per-put.ts';
import type { Order } from './loaded-registry.ts';
import { longestCalls } from './longest-calls.ts';
import { memoryPerKey } from './memory.ts';
import { snapshotFigures } from './snapshot.ts';

export type Measurement =
  | { readonly type: 'overwrite' | 'insert'; readonly keys: number; readonly order: Order }
  | { readonly type: 'bareMap' | 'memory' | 'snapshot' | 'longestCalls'; readonly keys: number };

async function figuresOf(measurement: Measurement): Promise<unknown> {
  switch (measurement.type) {
    case 'overwrite':
      return overwriteCost(measurement.keys, measurement.order);
    case 'insert':
      return insertCost(measurement.keys, measurement.order);
    case 'bareMap':
      return bareMapCost(measurement.keys);
    case 'memory':
      return memoryPerKey(measurement.keys);
    case 'snapshot':
      return snapshotFigures(measurement.keys);
    case 'longestCalls':
      return longestCalls(measurement.keys);
    default:
      return unreachable(measurement);
  }
}

const figures = await figuresOf(JSON.parse(process.argv[2] ?? '') as Measurement);
process.stdout.write(JSON.stringify(figures));
