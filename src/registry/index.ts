export * from './codec/index.ts';
export { type EventsSince } from './history.ts';
export { defaultLimits, resolveLimits } from './limits.ts';
export { EXCLUSIVE } from './lock-terms.ts';
export { lockOfKey, queueKey } from './locks.ts';
export { decodeMapOptions } from './map-definition.ts';
export type * from './map-types.ts';
export {
  entryEdgePrefix,
  FIRST_CLIENT_KEY,
  isReserved,
  MAP_PREFIX,
  mapEntryPrefix,
  mapKey,
  mapMarkKey,
  mapRangeEnd,
  noticeKey,
  noticePrefix,
  reservedKind,
  TABLE_PREFIX,
  tableEntryPrefix,
  tableInKey,
  tableKey,
  TREE_SESSIONS,
} from './reserved-keys.ts';
export { SnapshotImage, type RegistrySeed, type SnapshotSummary } from './seed.ts';
export { RegistryStateMachine, type RegistryContext } from './state-machine.ts';
export * from './table-types.ts';
export {
  compareTrees,
  TreeNotComparable,
  type AnswerPair,
  type DifferenceHandler,
  type KeyDifference,
  type TreeDifference,
  type TreeSide,
} from './tree-compare.ts';
export * from './tree-types.ts';
export * from './types.ts';
