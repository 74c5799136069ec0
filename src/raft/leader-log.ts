/** What a leader writes into its own log (section 5.3). */
import type { Core } from './core.ts';
import { logIndex, makeEntry } from './entry.ts';
import { encodeMembership } from './membership-codec.ts';
import { memberOf } from './membership.ts';
import { Progress } from './progress.ts';
import type { LeaderRole } from './roles.ts';
import type { EntryType, LogIndex, Membership, NodeId, ProposeResult } from './types.ts';

/** Appends one entry under the leader's term. A leader never changes what its log already holds. */
export function appendOwn(
  core: Core,
  role: LeaderRole,
  type: EntryType,
  data: Uint8Array,
  time: number,
): LogIndex {
  const { log } = core;
  const index = logIndex(log.lastIndex + 1);
  log.append(makeEntry(index, core.term, Math.max(time, log.lastTime), type, data));
  role.replicationDue = true;
  return index;
}

/** Appends commands while they fit under the limit of what is not committed. */
export function propose(core: Core, commands: readonly Uint8Array[], time: number): ProposeResult {
  const { role } = core;
  if (role.type !== 'leader' || role.retiring) return { type: 'refused', reason: 'notLeader' };
  if (role.transfer !== undefined) return { type: 'refused', reason: 'transferring' };
  const firstIndex = logIndex(core.log.lastIndex + 1);
  const limit = core.options.maxUncommittedBytes;
  let count = 0;
  for (const command of commands) {
    const uncommitted = role.uncommittedBytes + command.length;
    // A command that alone is beyond the limit must pass some time: when nothing else waits.
    if (uncommitted > limit && role.uncommittedBytes > 0) break;
    role.uncommittedBytes = uncommitted;
    appendOwn(core, role, 'command', command, time);
    count++;
  }
  if (count === 0 && commands.length > 0) return { type: 'refused', reason: 'uncommittedLimit' };
  return { type: 'appended', firstIndex, term: core.term, count };
}

/** Appends a membership, which is in force from now on. */
export function appendMembership(
  core: Core,
  role: LeaderRole,
  membership: Membership,
  time: number,
): LogIndex {
  const before = core.membership;
  const data = encodeMembership(membership);
  const index = appendOwn(core, role, 'membership', data, time);
  role.uncommittedBytes += data.length;
  core.adoptMembership(index, membership);
  syncProgress(core, role, before);
  return index;
}

export function newProgress(core: Core): Progress {
  const { maxInflightMessages, maxInflightBytes } = core.options;
  const next = logIndex(core.log.lastIndex + 1);
  return new Progress(next, maxInflightMessages, maxInflightBytes, core.tickCount);
}

/** Follows the membership: whoever came is tracked from the start, whoever left no more. */
function syncProgress(core: Core, role: LeaderRole, before: Membership): void {
  const { membership } = core;
  for (const id of role.progress.keys()) {
    if (memberOf(membership, id) === undefined) role.progress.delete(id);
  }
  for (const id of Object.keys(membership.members) as NodeId[]) {
    if (id === core.id) continue;
    const known = memberOf(before, id)?.storeId;
    const isSameDisk = known === memberOf(membership, id)!.storeId;
    // Another disk holds nothing of what the one before confirmed, and that one may be unknown.
    if (!isSameDisk || !role.progress.has(id)) role.progress.set(id, newProgress(core));
  }
}
