/** Module hooks of a process that runs a planted bug; see `node:module`, `register`. */
import type { InitializeHook, LoadHook } from 'node:module';
import type { PlantedSources } from './planting.ts';

let planted: PlantedSources = {};

export const initialize: InitializeHook<PlantedSources> = (sources) => {
  planted = sources;
};

export const load: LoadHook = async (url, context, nextLoad) => {
  const source = planted[url];
  if (source === undefined) return await nextLoad(url, context);
  return { format: 'module', source, shortCircuit: true };
};
