/**
 * The vocabulary of faults, for simulation and real processes alike: what is hit, when, and for how
 * long. All of a run's faults are decided before it begins, so that a failing run can be cut down
 * fault by fault and run again.
 */

/** A node by its id, or whoever leads at that moment. */
export type NodeTarget = string;
/** In place of a node's id: the leader of the latest term, as it is when the fault begins. */
export const LEADER: NodeTarget = 'leader';

/** What is sent from the first to the second. */
export type DirectedLink = readonly [from: string, to: string];

/** How a partition divides the cluster; `links` say what it comes to. */
export type PartitionShape =
  /** One node is alone. */
  | 'one'
  /** Two parts. */
  | 'halves'
  /** Everyone reaches a majority, and no two the same one. */
  | 'majorityRing'
  /** Two parts, and one node that reaches both. */
  | 'bridge'
  /** What one node sends to another is lost; the other direction works. */
  | 'oneWay'
  /** The leader is alone. */
  | 'leader';

interface Timed {
  /** Milliseconds after the faults begin. */
  readonly atMs: number;
  /** How long it lasts; 0 for what happens at once. */
  readonly forMs: number;
}

/** Messages between nodes are cut off in silence. `links` are empty for the leader: see `shape`. */
export interface PartitionFault extends Timed {
  readonly type: 'partition';
  readonly shape: PartitionShape;
  readonly links: readonly DirectedLink[];
  /** Cut and healed in turns this long; 0: cut all the time. */
  readonly flapMs: number;
}

/** Every link between nodes behaves badly. Probabilities are per message. */
export interface WeatherFault extends Timed {
  readonly type: 'weather';
  readonly loss: number;
  readonly duplicate: number;
  /** Longest additional delay: messages overtake each other. */
  readonly delayMs: number;
  /** A bit of the frame is flipped. */
  readonly corrupt: number;
}

/** One direction of one link is slow; order is kept. */
export interface SlowLinkFault extends Timed {
  readonly type: 'slowLink';
  readonly from: string;
  readonly to: string;
  readonly delayMs: number;
}

/** The process dies, and is started again after `forMs`. */
export interface CrashFault extends Timed {
  readonly type: 'crash';
  readonly node: NodeTarget;
  /** Waits (not for long) until the node's disk has a write under way. */
  readonly whilePending: boolean;
  /** The machine goes too: what was not synced is lost, and nobody is told. */
  readonly power: boolean;
}

/** All machines lose power at once. */
export interface PowerLossFault extends Timed {
  readonly type: 'powerLoss';
}

/** The process stands still (SIGSTOP, a blocked event loop) and goes on afterwards. */
export interface PauseFault extends Timed {
  readonly type: 'pause';
  readonly node: NodeTarget;
}

/** A client's event loop stands still. */
export interface ClientPauseFault extends Timed {
  readonly type: 'clientPause';
  /** Counts from 0. */
  readonly client: number;
}

/** A client's connections break, or (for `forMs`) hear nothing. */
export interface ClientCutFault extends Timed {
  readonly type: 'clientCut';
  readonly client: number;
  /** `frame`: in the middle of one; `corrupt`: after a flipped bit. */
  readonly how: 'reset' | 'frame' | 'corrupt' | 'silence';
}

/** A clock runs faster or slower than the others. */
export interface ClockRateFault extends Timed {
  readonly type: 'clockRate';
  readonly node: NodeTarget;
  /** 1 is right. */
  readonly rate: number;
}

/** A clock jumps ahead: the machine slept and nobody noticed. */
export interface ClockJumpFault extends Timed {
  readonly type: 'clockJump';
  readonly node: NodeTarget;
  readonly byMs: number;
}

/** How a disk misbehaves while it goes on keeping what it was given. */
export interface DiskFault extends Timed {
  readonly type: 'disk';
  readonly node: NodeTarget;
  readonly how:
    | { readonly type: 'slow'; readonly latencyMs: number }
    /** Nothing ends before the fault does. */
    | { readonly type: 'stuck' }
    /** Writes fail; `written` says whether they reached the disk all the same. */
    | { readonly type: 'error'; readonly written: boolean }
    | { readonly type: 'full' };
}

/**
 * Something stored is damaged. It happens only while a majority of good copies is left. The node
 * finds out when it reads that, after `forMs` at the latest, and is installed anew.
 */
export interface DamageFault extends Timed {
  readonly type: 'damage';
  readonly node: NodeTarget;
  /** `misdirected`: the next write of entries lands on another's place. */
  readonly how: 'bitFlip' | 'misdirected';
  /** Which of all stored bytes, from 0 to below 1. */
  readonly where: number;
}

/** The node loses its disk and comes back, after `forMs`, with an empty one. Bounded as damage. */
export interface WipeFault extends Timed {
  readonly type: 'wipe';
  readonly node: NodeTarget;
}

/**
 * The node's disk is copied, and after `forMs` the node begins again with the copy in its place.
 * Bounded as damage, and to what a cluster cannot notice.
 */
export interface OldDiskFault extends Timed {
  readonly type: 'oldDisk';
  readonly node: NodeTarget;
}

/** A change of membership, undone after `forMs`. */
export interface MembershipFault extends Timed {
  readonly type: 'membership';
  readonly node: NodeTarget;
  /** `remove` takes the node's disk too; `join` adds a node that was not there, as a learner. */
  readonly how: 'demote' | 'remove' | 'join';
}

/** Leadership is handed over. */
export interface TransferFault extends Timed {
  readonly type: 'transfer';
  readonly to: string;
}

export type Fault =
  | PartitionFault
  | WeatherFault
  | SlowLinkFault
  | CrashFault
  | PowerLossFault
  | PauseFault
  | ClientPauseFault
  | ClientCutFault
  | ClockRateFault
  | ClockJumpFault
  | DiskFault
  | DamageFault
  | WipeFault
  | OldDiskFault
  | MembershipFault
  | TransferFault;
