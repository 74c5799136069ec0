/** What becomes of all that a session owns when it ends. */
import { unreachable } from '../base/index.ts';
import type { Ending, Endings } from './endings.ts';
import type { KeyEntry } from './key-version.ts';
import { readTerms } from './lock-terms.ts';
import { openerLeft } from './map-commands.ts';
import { reservedKind } from './reserved-keys.ts';
import { peerEnded, takeDownTable } from './table-ends.ts';
import type { SessionId } from './types.ts';

/**
 * Works the queue off, as part of the revision under way: sessions in the order in which they
 * joined it, of each what it owns in key order. Sessions that are ended by that join the queue: no
 * recursion, however long the chain.
 */
export function endSessions(endings: Endings): void {
  for (let ending = endings.next(); ending !== undefined; ending = endings.next()) {
    endSession(endings, ending);
  }
}

function endSession(endings: Endings, ending: Ending): void {
  const { session } = ending;
  const owned = [...session.keys];
  owned.sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const entry of owned) {
    // One that stood before it may have taken it along.
    if (entry.live?.session === session.id) endOwned(endings, ending, entry);
  }
  endings.state.store.sessions.delete(session.id);
}

function endOwned(endings: Endings, ending: Ending, entry: KeyEntry): void {
  const kind = reservedKind(entry.key);
  switch (kind) {
    case 'table':
      takeDownTable(endings, entry, ending.why);
      return;
    case 'edge':
      peerEnded(endings, entry, ending.why);
      return;
    case 'opener':
      removeOwned(endings, entry);
      openerLeft(endings.state, entry.key, 'sessionEnded', endings.node);
      return;
    case 'notice':
    case 'tableEntry':
    case 'map':
    case 'mapEntry':
    case 'mapMark':
    case 'treeLock':
    case undefined:
      removeOwned(endings, entry);
      return;
    default:
      unreachable(kind);
  }
}

/** What is delayed stays, with its token, as a key of nobody's that expires by itself. */
function removeOwned({ state: { store }, node, delayed }: Endings, entry: KeyEntry): void {
  if (!delayed.has(entry)) {
    store.remove(entry, 'sessionEnded', node);
    return;
  }
  const { key, latest } = entry;
  const expiresAt = store.time + readTerms(latest.stored).terms.delayMs;
  store.put({ key, stored: latest.stored, session: 0 as SessionId, expiresAt, node });
}
