import { HoldfastError } from '../base/index.ts';
import {
  tableKey,
  type ByteString,
  type RegistryCommand,
  type SessionId,
} from '../registry/index.ts';
import { consistencyOf } from './checks.ts';
import { textOf } from './edge.ts';
import { answerOf, type Actor, type Applied, type Patience, type Proposals } from './proposals.ts';
import type { CallOptions, ReadOptions, SessionRef } from './registry.ts';
import type { WatchHost } from './watch-until.ts';

/** What tables and notices need of the registry. */
export interface TableHost extends WatchHost {
  readonly proposals: Proposals;
  patience(options: CallOptions | undefined): Patience;
  /** For which session a call acts; `needed`: it takes one. */
  actorFor(
    ref: SessionRef | undefined,
    patience: Patience,
    needed: boolean,
  ): Actor | Promise<Actor>;
  /**
   * Carries a command out for a session, or for the registry's own, which may be a new one when the
   * old is over and nothing relied on it.
   */
  propose(
    command: RegistryCommand,
    ref: SessionRef | undefined,
    patience: Patience,
    needed: boolean,
  ): Promise<Applied>;
  /** The session the registry acts for by itself, if it has one now. */
  ownSession(): SessionId | undefined;
}

/** The table, as of the reading; rejects with `no-such-table` when it is not open. */
export async function findTable(
  host: TableHost,
  name: ByteString,
  options: ReadOptions,
): Promise<void> {
  const query = { type: 'get', key: tableKey(name) } as const;
  const consistency = consistencyOf(options);
  const answer = await host.proposals.query(query, consistency, host.patience(options));
  if (answerOf(answer, 'get').view.record !== undefined) return;
  throw new HoldfastError('no-such-table', `there is no table '${textOf(name)}'`);
}
