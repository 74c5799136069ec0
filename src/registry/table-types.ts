/** Tables: keys of their own, tied to sessions by edges. */
import type { Brand } from '../base/index.ts';
import type { ByteString, KeyRecord, Revision, SessionId } from './types.ts';

/** Log index of the command that made the edge: no two edges ever share one. */
export type ConnectionId = Brand<number, 'ConnectionId'>;

/**
 * What an edge between a session (the peer) and an entry does:
 * - `link`: the peer's end erases the entry; the entry's end is an exit notice to the peer.
 * - `forward_link` (entry to peer): the peer's end drops the edge; exit notice as above.
 * - `backward_link` (peer to entry): the peer's end erases the entry; nothing is sent.
 * - `monitor`: the peer's end drops the edge; the entry's end is a down notice to the peer.
 */
export type EdgeType = 'link' | 'forward_link' | 'backward_link' | 'monitor';

/** Why a session is over. `unknown`: it had ended before anybody asked. */
export type SessionEnd = 'closed' | 'expired' | 'exit' | 'unknown';

/** Why an edge is no more. */
export type DisconnectReason =
  /** Its entry went because a session linked to that entry ended. */
  | { readonly type: 'exit'; readonly peer: SessionId; readonly why: SessionEnd }
  /** Its entry was erased, by this session or by nobody (0). */
  | { readonly type: 'erased'; readonly by: SessionId }
  /** There was no such entry when it was to be connected. */
  | { readonly type: 'noentry' }
  /** Its table went: dropped, or tied to a session that ended. */
  | { readonly type: 'tableDown'; readonly why: 'dropped' | SessionEnd };

/** What the owner of an edge is told, once. */
export interface TableNotice {
  readonly type: 'exit' | 'down';
  readonly table: ByteString;
  readonly edge: EdgeType;
  readonly peer: SessionId;
  readonly key: ByteString;
  readonly connection: ConnectionId;
  readonly reason: DisconnectReason;
}

export interface EdgeRequest {
  readonly edge: EdgeType;
  /** May have ended; one that was not opened yet is refused. */
  readonly peer: SessionId;
}

export type TableCommand =
  /** Opens a table, or finds it. `linked`: it goes with the acting session, if this opens it. */
  | { readonly type: 'openTable'; readonly table: ByteString; readonly linked: boolean }
  | { readonly type: 'dropTable'; readonly table: ByteString }
  /** Puts only where nothing is, and then connects, if asked to. */
  | {
      readonly type: 'tableStore';
      readonly table: ByteString;
      readonly key: ByteString;
      readonly value: Uint8Array;
      readonly connect: EdgeRequest | undefined;
    }
  | { readonly type: 'tableErase'; readonly table: ByteString; readonly key: ByteString }
  | ({
      readonly type: 'tableConnect';
      readonly table: ByteString;
      readonly key: ByteString;
    } & EdgeRequest)
  | {
      readonly type: 'tableDisconnect';
      readonly table: ByteString;
      readonly key: ByteString;
      readonly peer: SessionId;
      readonly connection: ConnectionId;
    }
  | {
      readonly type: 'tableDisconnectAll';
      readonly table: ByteString;
      readonly key: ByteString;
      readonly peer: SessionId;
    }
  /** The session has seen these notices: they are forgotten. Those not there are passed over. */
  | {
      readonly type: 'acknowledgeNotices';
      readonly session: SessionId;
      readonly connections: readonly ConnectionId[];
    };

export type TableResult =
  /** To `openTable`; `existed`: somebody had opened it. */
  | { readonly type: 'table'; readonly revision: Revision; readonly existed: boolean }
  /** To `tableStore`: `stored`, or what is there instead. */
  | {
      readonly type: 'stored';
      readonly revision: Revision;
      readonly stored: boolean;
      readonly record: KeyRecord;
      readonly connection: ConnectionId | undefined;
    }
  /** To `tableConnect`, `tableDisconnect` and `tableDisconnectAll`: the edges made or removed. */
  | {
      readonly type: 'connections';
      readonly revision: Revision;
      readonly connections: readonly ConnectionId[];
    };
