/**
 * A disk that is put back as it was a while ago. No node can tell that from its own disk, so a
 * cluster survives it only where nothing hangs on what was lost: the vote and the membership are
 * still the same, and everyone else holds all that the disk held.
 */
import { cp, rename, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../src/base/index.ts';
import { createStore, type StoreKind } from '../../src/cli/store-choice.ts';
import type { RecoveredLog } from '../../src/log-store/index.ts';
import { decodeMembership } from '../../src/raft/index.ts';

/** How long the others may take to hold all that the disk held. */
const PATIENCE_MS = 3_000;
const POLL_MS = 50;

/** What a node last said; undefined while it does not answer. */
interface Statuses {
  status(id: string): { readonly appliedIndex: number } | undefined;
}

/** Whether the old disk is back, and the last index of the log that stood there until now. */
type Answer =
  | { readonly type: 'putBack'; readonly through: number }
  | { readonly type: 'refused'; readonly why: string };

export class OldDisks {
  readonly #kind: StoreKind;
  readonly #nodes: Statuses;
  readonly #patienceMs: number;
  #kept = 0;

  constructor(kind: StoreKind, nodes: Statuses, patienceMs: number = PATIENCE_MS) {
    this.#kind = kind;
    this.#nodes = nodes;
    this.#patienceMs = patienceMs;
  }

  /** Copies the directory of a node that is down; returns where to. */
  async keep(directory: string): Promise<string> {
    this.#kept += 1;
    const kept = `${directory}.old-${this.#kept}`;
    await cp(directory, kept, { recursive: true });
    return kept;
  }

  /** Puts what was kept in the place of a directory whose node is down. */
  async putBack(kept: string, directory: string, others: readonly string[]): Promise<Answer> {
    try {
      const [before, now] = [await this.#look(kept), await this.#look(directory)];
      const why = difference(before, now) ?? (await this.#lacking(others, now.lastIndex));
      if (why !== undefined) return { type: 'refused', why };
      await rm(directory, { recursive: true });
      await rename(kept, directory);
      return { type: 'putBack', through: now.lastIndex };
    } catch (error) {
      if (error instanceof HoldfastError) return { type: 'refused', why: error.message };
      throw error;
    }
  }

  /** As a node that is started would find it. */
  async #look(directory: string): Promise<RecoveredLog> {
    const store = await createStore(this.#kind, directory);
    const recovered = await store.open({ newStoreId: 'nothing was stored' });
    await store.close();
    return recovered;
  }

  /** What a node has applied is committed, and on its own disk. */
  async #lacking(others: readonly string[], through: number): Promise<string | undefined> {
    const deadline = performance.now() + this.#patienceMs;
    const lacks = (id: string): boolean => {
      return (this.#nodes.status(id)?.appliedIndex ?? 0) < through;
    };
    while (others.some(lacks) && performance.now() < deadline) await sleep(POLL_MS);
    const lacking = others.find(lacks);
    return lacking === undefined ? undefined : `${lacking} does not hold all that it holds`;
  }
}

function difference(before: RecoveredLog, now: RecoveredLog): string | undefined {
  if (before.storeId !== now.storeId) return 'its identity is another one';
  const isSame = JSON.stringify(before.metadata) === JSON.stringify(now.metadata);
  if (!isSame) return 'its metadata is another one';
  // With another it could elect itself, or be elected, by those who were voters then.
  return membershipOf(before) === membershipOf(now) ? undefined : 'its membership is another one';
}

/** What is in force by this log, to be compared. */
function membershipOf({ membershipEntries, snapshot }: RecoveredLog): string {
  const last = membershipEntries.at(-1);
  return JSON.stringify(last === undefined ? snapshot?.membership : decodeMembership(last.data));
}
