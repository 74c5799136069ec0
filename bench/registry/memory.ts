import { KEY_BYTES, LoadedRegistry, VALUE_BYTES } from './loaded-registry.ts';

/** Heap beside keys and values, in bytes a key. */
export interface Memory {
  /** With the history that the limits keep. */
  readonly withHistory: number;
  /** After history was compacted. */
  readonly compacted: number;
}

/** Enough commands to have everything cleaned up that is compacted. */
const TICKS = 10_000;

function heapBytes(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

export function memoryPerKey(keys: number): Memory {
  const before = heapBytes();
  const registry = new LoadedRegistry(keys);
  const beside = (): number => (heapBytes() - before) / keys - KEY_BYTES - VALUE_BYTES;
  const withHistory = beside();
  registry.do({ type: 'compact', revision: registry.machine.revision });
  for (let i = 0; i < TICKS; i++) registry.do({ type: 'tick' });
  const compacted = beside();
  // Whatever is not used any more might be collected before it is measured.
  if (registry.machine.revision === 0) throw new Error('nothing was put');
  return { withHistory, compacted };
}
