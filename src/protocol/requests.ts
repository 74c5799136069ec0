/**
 * What a client may ask of a node, and what it is told. Registry payloads stay encoded: the bytes a
 * client writes are the bytes that are proposed, stored and applied.
 */

export type Consistency = 'linearizable' | 'lease' | 'local';

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
  /** Events flow as `watchEvents` under the same id until `watchEnded` or `cancel`. */
  | {
      readonly type: 'watch';
      readonly id: number;
      readonly start: string;
      /**
       * Exclusive, as byte strings; undefined: to the last key. A single key has `end = start +
       * '\0'`.
       */
      readonly end: string | undefined;
      /** First revision wanted; 0 for the next one. */
      readonly from: number;
    }
  /** Stop a watch, or stop waiting for the answer to a request. */
  | { readonly type: 'cancel'; readonly id: number }
  /**
   * Credit: the client has consumed this many bytes of watch events and may be sent as many more.
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
    };

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
  /** What is committed from `revision + 1` on will be seen. */
  | { readonly type: 'watchStarted'; readonly id: number; readonly revision: number }
  /** Encoded `RevisionEvents`, whole revisions, filtered to the range. */
  | { readonly type: 'watchEvents'; readonly id: number; readonly payload: Uint8Array }
  | {
      readonly type: 'watchEnded';
      readonly id: number;
      readonly code: 'compacted' | 'overrun' | 'stopped';
      /** Where a new watch may start. */
      readonly resumeFrom: number;
      readonly message: string;
    }
  /** Unasked: who leads now, as address; '' when nobody is known to. */
  | { readonly type: 'leader'; readonly id: 0; readonly address: string };
