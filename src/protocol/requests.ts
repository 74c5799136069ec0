/**
 * What a client may ask of a node, and what it is told. Registry payloads stay encoded: the bytes a
 * client writes are the bytes that are proposed, stored and applied.
 */

import type { KeyEvent, LockPlaceRef } from '../registry/types.ts';

export type Consistency = 'linearizable' | 'lease' | 'local';

/** Which events of its range a watch is sent, and with what. */
export interface WatchFilter {
  readonly types: 'all' | 'put' | 'delete';
  /** None: whatever the cause. */
  readonly causes: readonly KeyEvent['cause'][];
  /** Whether an event carries what the key was before. */
  readonly previous: boolean;
}

/** Every event, with what the key was before. */
export const UNFILTERED: WatchFilter = { types: 'all', causes: [], previous: true };

/** `id` is the client's own, unique on its connection; the response carries it back. */
export type Request =
  /** An encoded registry command (header included). */
  | {
      readonly type: 'propose';
      readonly id: number;
      readonly timeoutMs: number;
      readonly command: Uint8Array;
    }
  /** An encoded registry query. */
  | {
      readonly type: 'query';
      readonly id: number;
      readonly timeoutMs: number;
      readonly consistency: Consistency;
      readonly query: Uint8Array;
    }
  /** An encoded lease query, for the leader. */
  | {
      readonly type: 'leaderQuery';
      readonly id: number;
      readonly timeoutMs: number;
      readonly query: Uint8Array;
    }
  /**
   * Events flow as `watchEvents` under the same id until `watchEnded`, the final response. Any node
   * serves it from what it has applied. It may send `WATCH_WINDOW_BYTES` of payload, and then as
   * much as `watchCredit` grants; a watch without credit falls back to the registry's history.
   */
  | {
      readonly type: 'watch';
      readonly id: number;
      readonly start: string;
      /**
       * Exclusive, as byte strings; undefined: to the last key. A single key has `end = start +
       * '\0'`.
       */
      readonly end: string | undefined;
      /**
       * First revision wanted. 0: the one after everything committed before the request came, for
       * which the node first confirms with the cluster that it has applied all of that (it may be a
       * follower that lags). Any other is served at once, even without a leader.
       */
      readonly from: number;
      readonly filter: WatchFilter;
    }
  /**
   * Wait until a place in a lock's queue is granted, or gone: `ok` with the registry's answer to
   * the query `lockPlace`. Any node serves it from what it has applied, once it has applied the
   * entry that made the place. Counts as a watch.
   */
  | ({ readonly type: 'awaitGrant'; readonly id: number } & LockPlaceRef)
  /**
   * Send a progress mark on this watch as soon as it was sent everything up to `revision`. Of
   * several, those that wait are answered by one. Has no response of its own.
   */
  | { readonly type: 'watchProgress'; readonly id: number; readonly revision: number }
  /**
   * Stop a watch (it ends with `watchEnded`, `stopped`), or stop waiting for an answer (the request
   * is answered `aborted`; what it asked for may still happen). Has no response of its own.
   */
  | { readonly type: 'cancel'; readonly id: number }
  /**
   * The registry as it is once `consistency` is met, as a snapshot: `backupStarted`, then
   * `backupChunk` as far as credit allows (as with a watch), and `ok` as the final response.
   */
  | {
      readonly type: 'backup';
      readonly id: number;
      /** How long to wait for `consistency`; what follows takes as long as it takes. */
      readonly timeoutMs: number;
      readonly consistency: Consistency;
    }
  /**
   * Credit: the client has consumed this many bytes of the payload of `watchEvents` or
   * `backupChunk` and may be sent as many more. Has no response.
   */
  | { readonly type: 'watchCredit'; readonly id: number; readonly bytes: number }
  | { readonly type: 'status'; readonly id: number }
  | {
      readonly type: 'member';
      readonly id: number;
      readonly timeoutMs: number;
      readonly change:
        | {
            readonly type: 'add';
            readonly id: string;
            readonly address: string;
            readonly promote: boolean;
          }
        | { readonly type: 'promote' | 'demote' | 'remove'; readonly id: string };
    }
  /** '' lets the leader choose. */
  | {
      readonly type: 'transfer';
      readonly id: number;
      readonly timeoutMs: number;
      readonly to: string;
    }
  /** For the very node that is asked. */
  | {
      readonly type: 'maintain';
      readonly id: number;
      readonly timeoutMs: number;
      readonly action: MaintainAction;
    };

/**
 * - `quarantine`: refuse clients with `quarantined`, hand leadership over, and do not campaign,
 *   until `endQuarantine` or until the process ends. The hash tree still answers.
 * - `reinstall`: throw the store's contents away and begin anew as an empty node, which the leader
 *   fills. Answered once nothing stands against it any more, before it is done; refused with
 *   `membership-refused` while another voter is out of reach or another member is being
 *   installed.
 */
export type MaintainAction = 'quarantine' | 'endQuarantine' | 'reinstall';

/** What a backup shows. */
export interface BackupOrigin {
  readonly clusterName: string;
  readonly clusterId: string;
  /** The node it was taken from. */
  readonly node: string;
  readonly revision: number;
  /** Log index of the last entry in it, or a later one. */
  readonly index: number;
  /** Cluster time in ms. */
  readonly time: number;
}

export interface MemberStatus {
  readonly id: string;
  readonly address: string;
  readonly role: 'voter' | 'learner';
}

export interface StatusReport {
  readonly id: string;
  readonly address: string;
  readonly role: string;
  readonly term: number;
  readonly leader: string;
  readonly leaderAddress: string;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly snapshotIndex: number;
  readonly lastIndex: number;
  readonly revision: number;
  readonly store: string;
  /** Of the store's contents: another one, once the node was installed anew. */
  readonly storeId: string;
  readonly clusterName: string;
  readonly clusterId: string;
  readonly unhealthy: string;
  readonly members: readonly MemberStatus[];
}

export type Response =
  /** `payload`: the encoded registry result, answer or lease answer. */
  | { readonly type: 'ok'; readonly id: number; readonly payload: Uint8Array }
  | {
      readonly type: 'error';
      readonly id: number;
      readonly code: string;
      readonly message: string;
      readonly outcome: 'not-applied' | 'unknown';
      /** Address of the leader, or ''. */
      readonly leader: string;
    }
  | { readonly type: 'status'; readonly id: number; readonly status: StatusReport }
  /**
   * What is committed from `revision + 1` on will be seen. Sent once, before any event; `from - 1`
   * when the watch asked for a revision.
   */
  | { readonly type: 'watchStarted'; readonly id: number; readonly revision: number }
  /**
   * Encoded `RevisionEvents`, of each revision what the watch asked for. One without events is a
   * progress mark: nothing up to it is missing, so a new watch may start after it.
   */
  | { readonly type: 'watchEvents'; readonly id: number; readonly payload: Uint8Array }
  | {
      readonly type: 'watchEnded';
      readonly id: number;
      readonly code: 'compacted' | 'overrun' | 'stopped';
      /** Where a new watch may start. */
      readonly resumeFrom: number;
      readonly message: string;
    }
  | { readonly type: 'backupStarted'; readonly id: number; readonly origin: BackupOrigin }
  /** The next bytes of the registry's snapshot. */
  | { readonly type: 'backupChunk'; readonly id: number; readonly payload: Uint8Array }
  /** Unasked: who leads now, as address; '' when nobody is known to. */
  | { readonly type: 'leader'; readonly id: 0; readonly address: string };
