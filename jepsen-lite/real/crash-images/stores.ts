/** The stores whose crashes are looked at, as the child that works on them takes them. */
import { BackedLogStore, BlockBackend, type LogStore } from '../../../src/log-store/index.ts';

export type StoreKind = 'sqlite' | 'level';

/** `unsafe`: writes are acknowledged before they are synced; crash images have to show it. */
export type StoreSafety = 'safe' | 'unsafe';

/** Drivers are loaded only when asked for: each is optional. */
export async function loadStores(
  kind: StoreKind,
): Promise<(directory: string, safety: StoreSafety) => LogStore> {
  if (kind === 'sqlite') {
    const { SqliteMedium } = await import('../../../adapters/sqlite/sqlite-medium.ts');
    return (directory, safety) => {
      const synchronous = safety === 'safe' ? 'full' : 'normal';
      const medium = new SqliteMedium({ path: `${directory}/holdfast.db`, synchronous });
      return new BackedLogStore(new BlockBackend(medium));
    };
  }
  const { LevelMedium } = await import('../../../adapters/level/level-medium.ts');
  return (directory, safety) => {
    const medium = new LevelMedium({ path: `${directory}/level`, sync: safety === 'safe' });
    return new BackedLogStore(new BlockBackend(medium));
  };
}
