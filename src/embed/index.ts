/** Nodes in this process, of the registry or of a state machine of one's own. */
export {
  Holdfast,
  type RegistryNodeOptions,
  type StartOptions,
  type StateMachineNodeOptions,
} from './holdfast.ts';
export type { EmbeddedNode, WaitOptions } from './embedded-node.ts';
export { restoreBackup, type RestoredBackup, type RestoreOptions } from './restore-backup.ts';
export type { HoldfastNode } from './registry-node.ts';
export type { QueryOptions, StateMachineNode } from './state-machine-node.ts';
