/**
 * The bare pipeline: what the machine gives when nothing is done but carrying bytes and making them
 * durable. A client process, a leader and two followers; frames over TCP; one write and one fsync
 * for all that arrived meanwhile; an answer once a majority has it. No terms, no elections, no
 * checksums, no state.
 */
import type { LoadResult } from '../load/closed-loop.ts';

export type DiskKind = 'none' | 'file' | 'sqlite' | 'level' | 'level-blocks';

export interface LimitSpec {
  readonly disk: DiskKind;
  /** None: the leader answers at once, as reads under a lease are. */
  readonly followers: 0 | 2;
  readonly requestBytes: number;
  readonly replyBytes: number;
}

export interface LimitLoad {
  readonly inFlight: number;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What each process is started with, as its only argument, in JSON. */
export type LimitRole =
  | {
      readonly role: 'leader';
      readonly spec: LimitSpec;
      readonly directory: string;
      readonly followerPorts: readonly number[];
    }
  | { readonly role: 'follower'; readonly spec: LimitSpec; readonly directory: string }
  | { readonly role: 'client'; readonly spec: LimitSpec; readonly port: number };

/** What such a process says. */
export type PipelineReply =
  | { readonly type: 'port'; readonly port: number }
  | { readonly type: 'begun' }
  | { readonly type: 'result'; readonly result: LoadResult };
