import type { RegistryRefusal } from './codec/error.ts';
import type { LockQueue } from './lock-queue.ts';
import { refuse, show } from './refusal.ts';
import type { RegistryState } from './state.ts';
import type { ByteString, KeyView, RegistryCommand, SessionId } from './types.ts';

/** A command of one type. */
export type CommandOf<Type extends RegistryCommand['type']> = Extract<
  RegistryCommand,
  { readonly type: Type }
>;

/** Who acts on what: all a command needs to know beside itself. */
export interface Act {
  readonly state: RegistryState;
  /** Live, or 0 for none. */
  readonly session: SessionId;
  readonly node: ByteString;
  /** Log index of the command. */
  readonly index: number;
}

/** A refusal when those who hold the lock of `name` keep the acting session from writing it. */
export function refuseIfLocked(act: Act, name: ByteString): RegistryRefusal | undefined {
  const queue = act.state.store.locks.queue(name);
  if (queue?.first === undefined) return undefined;
  const mayWrite = queue.first.terms.mode !== 'shared' && queue.granted.has(act.session);
  return mayWrite ? undefined : lockedBy(queue);
}

/** `queue` is not empty. */
export function lockedBy(queue: LockQueue): RegistryRefusal {
  const { key, granted } = queue;
  const { session, token, terms } = queue.first!;
  const others = granted.size === 1 ? '' : ` and ${granted.size - 1} more`;
  const how = terms.mode === 'exclusive' ? 'locked' : `locked (${terms.mode})`;
  return refuse(
    'locked',
    `${show(key)} is ${how} by session ${session} with token ${token}${others}`,
  );
}

/** The key as it is now. */
export function viewOf(act: Act, key: ByteString): KeyView {
  const { store } = act.state;
  return { record: store.find(key)?.live, lock: store.locks.holder(key) };
}
