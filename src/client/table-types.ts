/** Tables: keys of their own, whose entries are tied to the life of sessions by edges. */
import type {
  CallOptions,
  Key,
  ReadOptions,
  RegistryRecord,
  SessionRef,
  Value,
  WriteOptions,
} from './key-types.ts';

/**
 * What an edge between a session, its peer, and an entry does:
 * - `link`: when the session ends the entry is erased; when the entry goes the session gets an exit
 *   notice.
 * - `forward_link`: only the notice; the session's end leaves the entry.
 * - `backward_link`: only the erasing; the entry's end is told to nobody.
 * - `monitor`: when the entry goes the session gets a down notice; the session's end leaves the
 *   entry.
 *
 * An exit notice closes a session that was not opened with `trapExits`, and with it all it owns, in
 * the same revision. A down notice closes nobody.
 */
export type EdgeType = 'link' | 'forward_link' | 'backward_link' | 'monitor';

/** The session at the other end of an edge; `self`: the one that acts. */
export type Peer = SessionRef | 'self';

export interface EdgeOptions {
  readonly type: EdgeType;
  readonly peer: Peer;
}

/** An edge, for as long as it is there, and the reference to it in notices afterwards. */
export interface Connection {
  /** No two edges ever have the same. */
  readonly id: number;
  readonly table: string;
  /** As text; bytes that are not UTF-8 show as U+FFFD, see `keyBytes`. */
  readonly key: string;
  readonly keyBytes: Uint8Array;
  readonly type: EdgeType;
  readonly peer: number;
}

/** What of a connection names it: enough to end it from elsewhere. */
export interface ConnectionRef {
  readonly id: number;
  readonly peer: number;
  readonly key: Key;
  /** Instead of `key`, where that is not UTF-8. */
  readonly keyBytes?: Uint8Array;
}

export interface TableOptions extends WriteOptions {
  /** The table goes with the acting session, if it is this call that opens it. */
  readonly link?: boolean;
  /** False: refuse with `no-such-table` what nobody has opened. True by default. */
  readonly create?: boolean;
}

/** A table as a list of tables shows it. */
export interface TableDetails {
  readonly name: string;
  /** The session it goes with; undefined for none. */
  readonly session: number | undefined;
  /** The revision that opened it. */
  readonly createRevision: number;
}

export interface StoreOptions extends WriteOptions {
  /** Connect the entry in the same step; no edge is made when the store fails. */
  readonly connect?: EdgeOptions;
}

export type StoreOutcome =
  | {
      readonly stored: true;
      readonly record: RegistryRecord;
      /** The edge that was asked for. */
      readonly connection: Connection | undefined;
    }
  /** There is an entry already, and it stays as it is. */
  | { readonly stored: false; readonly current: RegistryRecord };

export interface EntriesOptions extends ReadOptions {
  /** Only entries whose keys begin with it. */
  readonly prefix?: Key;
}

/**
 * A table that is open. Whatever is asked of it once it went down, because it was dropped or the
 * session it was tied to ended, rejects with `no-such-table`. Records have the entry's key, without
 * the table's name; their `session` is undefined, since what ties an entry are its edges.
 *
 * All calls act for the session named in their options, else for the one the table was opened with,
 * else for the registry's own.
 */
export interface Table {
  readonly name: string;
  /** Somebody had opened it before: it is as they did. */
  readonly existed: boolean;
  /**
   * Puts an entry where none is; never over one that is there.
   * @example
   * const { stored } = await table.store('worker/7', '10.0.0.7:80', {
   *   connect: { type: 'link', peer: session },
   * });
   */
  store(key: Key, value: Value, options?: StoreOptions): Promise<StoreOutcome>;
  /** `store` with an edge. */
  storeConnect(
    type: EdgeType,
    peer: Peer,
    key: Key,
    value: Value,
    options?: WriteOptions,
  ): Promise<StoreOutcome>;
  /** The entry, or undefined when there is none. */
  find(key: Key, options?: ReadOptions): Promise<RegistryRecord | undefined>;
  /**
   * Every entry in the order of keys, page after page, as of one revision.
   * @example
   * for await (const entry of table.entries()) console.log(entry.key, entry.text());
   */
  entries(options?: EntriesOptions): AsyncIterable<RegistryRecord>;
  /** `entries` at once. */
  toList(options?: EntriesOptions): Promise<RegistryRecord[]>;
  /** Takes the entry away, if there is one; its edges end, and their notices name who did it. */
  erase(key: Key, options?: WriteOptions): Promise<void>;
  /**
   * Makes an edge. Always resolves to a connection: where there is no such entry, its notice
   * (`noentry`; none for a `backward_link`) is on its way. There may be several edges between the
   * same two; each is told of on its own. A session that has ended erases the entry at once, by
   * `link` or `backward_link`. Refused with `overloaded` when the session has as many edges and
   * pending notices as it may.
   * @example
   * const connection = await table.connect('monitor', 'self', 'worker/7');
   */
  connect(type: EdgeType, peer: Peer, key: Key, options?: WriteOptions): Promise<Connection>;
  /**
   * Ends an edge. Once it resolves no notice of this connection is seen by whoever consumes them
   * through this registry. Idempotent.
   */
  disconnect(connection: ConnectionRef, options?: CallOptions): Promise<void>;
  /** Ends every edge of the session on the entry; resolves to their ids. */
  disconnectAll(peer: Peer, key: Key, options?: WriteOptions): Promise<number[]>;
  /**
   * Drops the notices of a connection, or of a session's edges on a key, that have come here and
   * wait to be consumed. Asks the cluster nothing. Returns how many they were.
   */
  flush(connection: ConnectionRef): number;
  flush(peer: Peer, key: Key): number;
  /** Takes the table down with all its entries. Owners of edges learn `tableDown`. */
  drop(options?: WriteOptions): Promise<void>;
}
