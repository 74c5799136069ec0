import { HoldfastError } from '../base/index.ts';
import type { ConnectionId, SessionId, TableNotice } from '../registry/index.ts';
import { isGone } from './client-session.ts';
import type { NoticeStream } from './notice-stream.ts';
import { NOBODY, type Patience, type Proposals } from './proposals.ts';
import type { WaitEnd } from './waiting.ts';

/** So many sessions' notices are remembered that were handed out and could not be acknowledged. */
const MAX_UNSETTLED = 1_024;

/** Who consumes whose notices here: one a session, so that what is handed out is so once. */
export class NoticeBoard {
  readonly #proposals: Proposals;
  readonly #streams = new Map<SessionId, NoticeStream>();
  readonly #all = new Set<NoticeStream>();
  /** Handed out by streams that ended with no cluster to tell: for the next one to acknowledge. */
  readonly #unsettled = new Map<SessionId, readonly ConnectionId[]>();

  constructor(proposals: Proposals) {
    this.#proposals = proposals;
  }

  /** From its first moment; `left` ends it. */
  joined(stream: NoticeStream): void {
    this.#all.add(stream);
  }

  /**
   * Resolves once the stream is the session's consumer: at once, or when one that has ended has
   * acknowledged what it handed out; to what is left of that, and must not be handed out again.
   */
  async claim(
    session: SessionId,
    stream: NoticeStream,
    end: WaitEnd,
  ): Promise<readonly ConnectionId[]> {
    for (;;) {
      const other = this.#streams.get(session);
      if (other === undefined) break;
      if (!other.ended) {
        const message = `session ${session} has a consumer of its notices here: end that first`;
        throw new HoldfastError('invalid-argument', message);
      }
      await end.race(other.left);
    }
    end.throwIfEnded();
    this.#streams.set(session, stream);
    const unsettled = this.#unsettled.get(session) ?? [];
    this.#unsettled.delete(session);
    return unsettled;
  }

  /** `unsettled`: what it handed out and could not acknowledge. */
  left(
    session: SessionId | undefined,
    stream: NoticeStream,
    unsettled: readonly ConnectionId[],
  ): void {
    this.#all.delete(stream);
    if (session === undefined || this.#streams.get(session) !== stream) return;
    this.#streams.delete(session);
    if (unsettled.length === 0) return;
    this.#unsettled.set(session, unsettled);
    const [oldest] = this.#unsettled.keys();
    if (this.#unsettled.size > MAX_UNSETTLED) this.#unsettled.delete(oldest!);
  }

  /** Drops notices that wait to be consumed, as if they had been; returns how many. */
  drop(session: SessionId, isIt: (notice: TableNotice) => boolean): number {
    return this.#streams.get(session)?.drop(isIt) ?? 0;
  }

  /** The cluster has no notice of this connection any more, nor ever will have. */
  forget(session: SessionId, connection: ConnectionId): void {
    this.#streams.get(session)?.forget(connection);
  }

  /** Has the cluster forget notices. Of a session that is over there are none. */
  async acknowledge(
    session: SessionId,
    connections: readonly ConnectionId[],
    patience: Patience,
  ): Promise<void> {
    const command = { type: 'acknowledgeNotices', session, connections } as const;
    try {
      await this.#proposals.propose(command, NOBODY, patience, true);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  close(): void {
    const closed = new HoldfastError('closed', 'the registry is closed');
    for (const stream of this.#all) stream.end(closed);
  }
}
