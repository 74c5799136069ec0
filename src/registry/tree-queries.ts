import type { RegistryState } from './state.ts';
import type { TreeAnswer, TreeQuery } from './tree-types.ts';

export function answerTree({ store }: RegistryState, _query: TreeQuery): TreeAnswer {
  const { revision } = store;
  return { type: 'tree', revision, state: { type: 'not_built' }, hashes: [], more: false };
}
