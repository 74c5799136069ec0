import { sessionTreeKey } from './reserved-keys.ts';
import type { Session } from './sessions.ts';
import type { TreeItem } from './tree-hash.ts';
import type { ByteString, SessionId } from './types.ts';

/**
 * A session in the tree. Sessions have no versions: what they were opened with never changes, and
 * where in the log they ended is noted here as long as a tree may want to know.
 */
export class TreeSession implements TreeItem {
  readonly key: ByteString;
  readonly session: Session;
  hashLow = 0;
  hashHigh = 0;
  /** Log index of the command that ended it. */
  endedAt: number = Infinity;

  constructor(session: Session) {
    this.key = sessionTreeKey(session.id);
    this.session = session;
  }
}

/** The sessions of a tree: those open at its point, and those that came or went since. */
export class TreeSessions {
  readonly #items = new Map<SessionId, TreeSession>();

  /** Takes over those that are open now. */
  constructor(open: Iterable<Session>) {
    for (const session of open) this.add(session);
  }

  add(session: Session): TreeSession {
    const item = new TreeSession(session);
    this.#items.set(session.id, item);
    return item;
  }

  get(id: SessionId): TreeSession | undefined {
    return this.#items.get(id);
  }

  delete(id: SessionId): void {
    this.#items.delete(id);
  }

  /** In the order of their ids, which is that of their keys. */
  items(): Iterable<TreeSession> {
    return this.#items.values();
  }
}
