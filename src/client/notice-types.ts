/** What the owner of an edge to a table's entry is told when the edge ends, once. */
import type { SessionRef } from './key-types.ts';
import type { Connection } from './table-types.ts';

/** How a session ended; `unknown`: before anybody asked. */
export type SessionEnd = 'closed' | 'expired' | 'exit' | 'unknown';

export type NoticeReason =
  /** The entry went because `peer`, a session linked to it, ended. */
  | { readonly type: 'exit'; readonly peer: number; readonly why: SessionEnd }
  /** The entry was erased, by this session or by nobody known (0). */
  | { readonly type: 'erased'; readonly by: number }
  /** There was no such entry when the edge was to be made. */
  | { readonly type: 'noentry' }
  /** The table was dropped, or the session it was tied to ended. */
  | { readonly type: 'tableDown'; readonly why: 'dropped' | SessionEnd };

export interface Notice {
  /** Of a `link` or `forward_link` an `exit`, of a `monitor` a `down`. */
  readonly type: 'exit' | 'down';
  readonly table: string;
  /** The edge that is no more. */
  readonly connection: Connection;
  readonly reason: NoticeReason;
  /** The revision in which it ended. */
  readonly revision: number;
}

export interface NoticeOptions {
  /** Whose notices; the registry's own session by default, which traps exits. */
  readonly session?: SessionRef;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}

/**
 * Notices of one session, oldest first: each once, whatever node the client is connected to.
 * A notice is acknowledged, and so forgotten by the cluster, when the next one is asked for or the
 * iteration ends; what was not consumed by then stays for the next consumer, also in another
 * process. Should a process die between, its last notice comes again: `connection.id` tells.
 *
 * Throws `session-expired` when the session is over, `invalid-argument` when this registry has
 * another consumer for it, `closed` when the registry is.
 */
export interface Notices extends AsyncIterable<Notice>, AsyncDisposable {
  /** Resolves when what was handed out is acknowledged, or cannot be for now. */
  close(): Promise<void>;
}
