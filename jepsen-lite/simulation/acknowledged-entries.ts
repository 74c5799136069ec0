/** That what a follower acknowledges is on its disk, and is what the leader of that term has. */
import type { PeerMessage } from '../../src/transport/index.ts';
import type { LogView } from './log-view.ts';
import type { Violations } from './violations.ts';

/** What is known of the others at that moment. */
export interface AcknowledgementContext {
  readonly leaderOf: (term: number) => string | undefined;
  readonly durable: (node: string) => LogView;
  readonly asked: (node: string) => LogView;
}

export function checkAcknowledged(
  message: Extract<PeerMessage, { type: 'appendResponse' }>,
  { leaderOf, durable, asked }: AcknowledgementContext,
  violations: Violations,
): void {
  const { from, to, term, result } = message;
  if (result.type !== 'accepted') return;
  const { matchIndex } = result;
  const own = durable(from);
  const text = `${from} acknowledged entry ${matchIndex}`;
  if (matchIndex > own.last) {
    const why = `${own.last} is its last durable`;
    violations.report('acknowledged-durable', `${text}, but ${why}`, [from]);
    return;
  }
  if (leaderOf(term) !== to) {
    const why = `which does not lead its term ${term}`;
    violations.report('acknowledged-leader', `${text} to ${to}, ${why}`, [from, to]);
    return;
  }
  // Once it is in another term, its log may be another one, too.
  if (own.term !== term) return;
  const [mine, theirs] = [own.termAt(matchIndex), asked(to).termAt(matchIndex)];
  if (mine === undefined || theirs === undefined || mine === theirs) return;
  const why = `its own is of term ${mine}, that of the leader ${to} of term ${theirs}`;
  violations.report('acknowledged-match', `${text}, but ${why}`, [from, to]);
}
