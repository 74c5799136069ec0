/** What the child process opens; see `record.ts`. */
import type { LogStore } from '../../../src/log-store/index.ts';
import { loadStores } from './stores.ts';

const create = await loadStores('sqlite');

export function safe(directory: string): LogStore {
  return create(directory, 'safe');
}

export function unsafe(directory: string): LogStore {
  return create(directory, 'unsafe');
}
