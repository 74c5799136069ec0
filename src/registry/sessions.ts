import { DedupWindow } from './dedup-window.ts';
import type { KeyEntry } from './key-version.ts';
import { isEdgeOrNotice } from './reserved-keys.ts';
import type { ByteString, SessionId } from './types.ts';

/** A lease, and what hangs on it. */
export class Session {
  readonly id: SessionId;
  readonly ttlMs: number;
  readonly label: ByteString;
  readonly metadata: Uint8Array;
  /** Cluster time in ms. */
  readonly openedAt: number;
  /** Exit notices are kept for it; without this, the first one closes it. */
  readonly trapExits: boolean;
  window: DedupWindow = new DedupWindow();
  /** Keys that go with it; derived from the keys. */
  readonly keys: Set<KeyEntry> = new Set();
  /** Of these, edges of tables and notices of such that went. */
  edges = 0;

  constructor(
    id: SessionId,
    ttlMs: number,
    label: ByteString,
    metadata: Uint8Array,
    openedAt: number,
    trapExits: boolean,
  ) {
    this.id = id;
    this.ttlMs = ttlMs;
    this.label = label;
    this.metadata = metadata;
    this.openedAt = openedAt;
    this.trapExits = trapExits;
  }

  own(entry: KeyEntry): void {
    this.keys.add(entry);
    if (isEdgeOrNotice(entry.key)) this.edges++;
  }

  disown(entry: KeyEntry): void {
    this.keys.delete(entry);
    if (isEdgeOrNotice(entry.key)) this.edges--;
  }

  /** The window, ready to be changed. */
  writableWindow(): DedupWindow {
    this.window = this.window.writable();
    return this.window;
  }
}

interface SessionListener {
  opened(session: Session): void;
  ended(id: SessionId): void;
}

/** Open sessions, in the order of their ids: an id is a log index, so a new one is the highest. */
export class SessionTable {
  readonly #sessions: Map<SessionId, Session> = new Map();
  /** Told of every session that comes or goes. */
  listener: SessionListener | undefined;

  get size(): number {
    return this.#sessions.size;
  }

  get(id: SessionId): Session | undefined {
    return this.#sessions.get(id);
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
    this.listener?.opened(session);
  }

  delete(id: SessionId): void {
    this.#sessions.delete(id);
    this.listener?.ended(id);
  }

  values(): IterableIterator<Session> {
    return this.#sessions.values();
  }
}
