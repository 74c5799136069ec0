import { MalformedBytesError, unreachable } from '../base/index.ts';
import type { Act, CommandOf } from './act.ts';
import { decodeCommand, type DecodedCommand } from './codec/command.ts';
import { persist, put, remove } from './key-commands.ts';
import { breakLock, lock, unlock } from './lock-commands.ts';
import { setLimits } from './limit-commands.ts';
import { checkLabel, refuse } from './refusal.ts';
import { closeSession, expireSessions, openSession, unknownSession } from './session-commands.ts';
import { changeMap } from './map-commands.ts';
import type { RegistryState } from './state.ts';
import { changeTable } from './table-commands.ts';
import { changeTree } from './tree-commands.ts';
import { transact } from './txn-commands.ts';
import type { CommandHeader, RegistryCommand, RegistryResult } from './types.ts';

/** Keys that expire in one revision, at most: more of them make several, for watchers' sake. */
const MAX_EXPIRED_PER_REVISION = 1024;

/**
 * Applies one command: first what its time brings about, then the command, then the tidying of
 * history. `time` is cluster time in ms. Never throws for anything the bytes may hold.
 */
export function applyCommand(
  state: RegistryState,
  bytes: Uint8Array,
  index: number,
  time: number,
): RegistryResult {
  const { store, compaction } = state;
  // Whole ms only, so that they can be written as varints; and never back.
  store.time = Math.max(store.time, Math.floor(time));
  store.index = index;
  expireDue(state);
  const decoded = decode(bytes);
  const result = 'code' in decoded ? decoded : admit(state, decoded, index);
  compaction.enforceLimits(state.limits);
  compaction.clean();
  return result;
}

function decode(bytes: Uint8Array): DecodedCommand | Extract<RegistryResult, { type: 'error' }> {
  try {
    return decodeCommand(bytes);
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    return refuse('invalid-command', `the command cannot be read: ${error.message}`);
  }
}

/** Removes every key whose time has come, in the order in which their times came. */
function expireDue(state: RegistryState): void {
  const { store } = state;
  let inRevision = 0;
  for (;;) {
    const entry = store.expiry.due(store.time);
    if (entry === undefined) break;
    store.remove(entry, 'expired', '');
    if (++inRevision % MAX_EXPIRED_PER_REVISION === 0) state.commit();
  }
  if (inRevision > 0) state.commit();
}

/** Checks who acts, and answers a retry from memory. */
function admit(state: RegistryState, decoded: DecodedCommand, index: number): RegistryResult {
  const { header, command } = decoded;
  const refusal = checkHeader(state, header);
  if (refusal !== undefined) return refusal;
  const act: Act = { state, session: header.session, node: state.nodeName(header.node), index };
  if (header.sequence === 0) return execute(act, command);
  const session = state.store.sessions.get(header.session)!;
  session.writableWindow().acknowledge(header.acknowledged);
  const verdict = session.window.judge(header.sequence, state.limits);
  if (verdict.type === 'answered') return verdict.result;
  if (verdict.type === 'refused') return refuse(verdict.code, verdict.message);
  const result = execute(act, command);
  session.window.record(header.sequence, result);
  return result;
}

function checkHeader(state: RegistryState, header: CommandHeader): RegistryResult | undefined {
  const { session, sequence, acknowledged } = header;
  if (session !== 0 && state.store.sessions.get(session) === undefined) {
    return unknownSession(session);
  }
  if (sequence !== 0 && session === 0) {
    return refuse('invalid-argument', 'a sequence number needs a session');
  }
  if (sequence !== 0 && acknowledged >= sequence) {
    return refuse(
      'invalid-argument',
      `acknowledged ${acknowledged} must be below the command's own sequence ${sequence}`,
    );
  }
  return checkLabel('node name', header.node, state.limits);
}

function execute(act: Act, command: RegistryCommand): RegistryResult {
  switch (command.type) {
    case 'put':
      return put(act, command);
    case 'delete':
      return remove(act, command);
    case 'persist':
      return persist(act, command);
    case 'lock':
      return lock(act, command);
    case 'unlock':
      return unlock(act, command);
    case 'breakLock':
      return breakLock(act, command);
    case 'openSession':
      return openSession(act, command);
    case 'closeSession':
      return closeSession(act, command);
    case 'expireSessions':
      return expireSessions(act, command);
    case 'tick':
      return { type: 'done', revision: act.state.commit() };
    case 'setLimits':
      return setLimits(act, command);
    case 'compact':
      return compact(act, command);
    case 'txn':
      return transact(act, command);
    case 'openTable':
    case 'dropTable':
    case 'tableStore':
    case 'tableErase':
    case 'tableConnect':
    case 'tableDisconnect':
    case 'tableDisconnectAll':
    case 'acknowledgeNotices':
      return changeTable(act, command);
    case 'openMap':
    case 'detachMap':
    case 'dropMap':
    case 'mapPut':
    case 'mapRemove':
      return changeMap(act, command);
    case 'lockTree':
    case 'updateTree':
    case 'releaseTree':
      return changeTree(act, command);
    default:
      return unreachable(command);
  }
}

function compact({ state }: Act, command: CommandOf<'compact'>): RegistryResult {
  const { store, compaction } = state;
  const { revision } = command;
  if (revision > store.revision) {
    return refuse(
      'invalid-argument',
      `revision ${revision} is yet to come: the latest is ${store.revision}`,
    );
  }
  if (revision <= compaction.compactRevision) {
    return refuse(
      'compacted',
      `history is compacted to revision ${compaction.compactRevision} already`,
    );
  }
  compaction.compactTo(revision);
  return { type: 'done', revision: store.revision };
}
