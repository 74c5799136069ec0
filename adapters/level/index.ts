/** `LevelLogStore`: a log store in a LevelDB directory. Needs the package `classic-level`. */
import { optionNames, refuseUnknownOptions } from '../../src/base/index.ts';
import { BackedLogStore, BlockBackend } from '../../src/log-store/index.ts';
import { LevelMedium } from './level-medium.ts';

export interface LevelLogStoreOptions {
  /** The database's directory: empty, or of such a store. It is created when missing. */
  readonly path: string;
}

const NAMES = optionNames<LevelLogStoreOptions>({ path: true });

/**
 * Keeps a node's log in a LevelDB: one batch and one fsync per write, off the main thread, entries
 * in blocks of up to 256 KiB. The directory is locked as long as it is open.
 *
 * @example
 * const store = new LevelLogStore({ path: 'data/a' });
 */
export class LevelLogStore extends BackedLogStore {
  constructor(options: LevelLogStoreOptions) {
    refuseUnknownOptions('LevelLogStore', options, NAMES);
    super(new BlockBackend(new LevelMedium({ path: options.path, sync: true })));
  }
}
