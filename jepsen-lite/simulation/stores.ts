/** Where the nodes of a simulated cluster keep their logs. */
import { BackedLogStore, BlockBackend } from '../../src/log-store/index.ts';
import type { LogStore } from '../../src/log-store/index.ts';
import type { SimulatedDisk } from './disk.ts';
import type { Life } from './life.ts';
import { SimulatedMedium } from './medium.ts';
import type { World } from './world.ts';

/** Real stores in place of simulated ones: virtual time stands still while they work. */
export interface RealStores {
  /** The store of a node's next life. */
  create(node: string): LogStore;
  /**
   * The life of a node is over, by a crash: nothing it still asks of its store may have an effect
   * on what the next life finds.
   */
  crashed(node: string): void;
  /** What the node has kept is gone for good. */
  wiped(node: string): void;
}

/** A store over a simulated disk. */
export function simulatedStore(disk: SimulatedDisk, life: Life, world: World): LogStore {
  return new BackedLogStore(new BlockBackend(new SimulatedMedium(disk, life, world)));
}
