import type { RegistryRefusal } from './codec/error.ts';
import { refuse, show } from './refusal.ts';
import type { RegistryState } from './state.ts';
import type { ByteString, KeyView, LockHolder, RegistryCommand, SessionId } from './types.ts';

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

/** A refusal when the lock of `name` is held by a session other than the acting one. */
export function refuseIfLocked(act: Act, name: ByteString): RegistryRefusal | undefined {
  const holder = act.state.store.locks.holder(name);
  return holder === undefined || holder.session === act.session
    ? undefined
    : lockedBy(name, holder);
}

export function lockedBy(name: ByteString, holder: LockHolder): RegistryRefusal {
  return refuse(
    'locked',
    `${show(name)} is locked by session ${holder.session} with token ${holder.token}`,
  );
}

/** The key as it is now. */
export function viewOf(act: Act, key: ByteString): KeyView {
  const { store } = act.state;
  return { record: store.find(key)?.live, lock: store.locks.holder(key) };
}
