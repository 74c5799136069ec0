export * from './types.ts';
export { makeEntry, NO_TERM } from './entry.ts';
export {
  emptyMembership,
  foundingMembership,
  foundingSnapshot,
  isJoint,
  isMember,
  isVoter,
  memberOf,
  sameMembership,
} from './membership.ts';
export { decodeMembership, encodeMembership } from './membership-codec.ts';
export { Raft } from './raft.ts';
