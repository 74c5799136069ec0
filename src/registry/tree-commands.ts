import { ByteReader, bytesToByteString, ByteWriter, unreachable } from '../base/index.ts';
import type { Act } from './act.ts';
import type { KeyVersion } from './key-version.ts';
import { refuse } from './refusal.ts';
import { TREE_LOCK_KEY } from './reserved-keys.ts';
import type { TreeCommand } from './tree-types.ts';
import type { RegistryResult, SessionId } from './types.ts';

/**
 * The lock is a record of the session that has it, and its value is the log index that all trees
 * are to stand for. So it goes with the session, or when its time has come, like any other key.
 */
export function changeTree(act: Act, command: TreeCommand): RegistryResult {
  if (act.session === 0) {
    return refuse('invalid-argument', 'hash trees are locked for a session, and none is named');
  }
  const lock = act.state.store.find(TREE_LOCK_KEY)?.live;
  const locking = command.type === 'lockTree';
  if (lock === undefined) return locking ? moveTo(act) : refused(act, 'not_locked', lock);
  if (lock.session !== act.session) {
    return refused(act, locking ? 'locked' : 'not_allowed', lock);
  }
  switch (command.type) {
    case 'lockTree':
      return { type: 'treeLocked', revision: lock.modRevision, index: indexOf(lock) };
    case 'updateTree':
      return moveTo(act);
    case 'releaseTree':
      return release(act);
    default:
      return unreachable(command);
  }
}

/** Makes this command the point that all trees are to stand for. */
function moveTo({ state, session, node, index }: Act): RegistryResult {
  const { store, limits } = state;
  const stored = bytesToByteString(new ByteWriter().varint(index).finish());
  const expiresAt = store.time + limits.maxTreeLockMs;
  store.put({ key: TREE_LOCK_KEY, stored, session, expiresAt, node });
  const revision = state.commit();
  state.tree.moveOn();
  return { type: 'treeLocked', revision, index };
}

function release({ state, node }: Act): RegistryResult {
  state.store.remove(state.store.find(TREE_LOCK_KEY)!, 'request', node);
  return { type: 'done', revision: state.commit() };
}

function refused(
  { state }: Act,
  why: 'locked' | 'not_locked' | 'not_allowed',
  lock: KeyVersion | undefined,
): RegistryResult {
  const holder = lock?.session ?? (0 as SessionId);
  return { type: 'treeRefused', revision: state.store.revision, why, holder };
}

function indexOf(lock: KeyVersion): number {
  return new ByteReader(lock.value).varint();
}
