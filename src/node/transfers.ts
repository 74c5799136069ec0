/** Handing leadership over on request. */
import { unreachable } from '../base/index.ts';
import type { NodeId, RaftCore, RaftEvent } from '../raft/index.ts';
import type { Answer } from './contract.ts';
import { decodeTarget } from './forward-codec.ts';
import type { Excuse } from './leader-work.ts';
import { answerAll, answerWaiter, failure } from './waiter.ts';
import type { Waiter } from './waiter.ts';

const DONE: Answer = { type: 'ok', payload: new Uint8Array(0) };

/** The voter that would have the least to catch up on, among those heard of lately. */
export function bestFollower(raft: RaftCore): NodeId | undefined {
  const { progress, membership, id } = raft.status();
  let best: NodeId | undefined;
  for (const voter of membership.voters) {
    const one = progress[voter];
    if (voter === id || one === undefined || !one.recentlyActive) continue;
    if (best === undefined || one.match > progress[best]!.match) best = voter;
  }
  return best;
}

export class Transfers {
  readonly #raft: RaftCore;
  readonly #excuse: Excuse;
  #pending: Waiter[] = [];

  constructor(raft: RaftCore, excuse: Excuse) {
    this.#raft = raft;
    this.#excuse = excuse;
  }

  lead(waiters: Waiter[]): Waiter[] {
    return waiters.filter((waiter) => !this.#begin(waiter));
  }

  #begin(waiter: Waiter): boolean {
    const to = decodeTarget(waiter.command) ?? bestFollower(this.#raft);
    if (to === undefined) {
      if (this.#raft.status().membership.voters.length === 1) {
        const alone = 'there is no other voter to take over: add a member first';
        answerWaiter(waiter, failure('membership-refused', alone));
        return true;
      }
      answerWaiter(waiter, failure('no-quorum', 'no other voter can be reached to take over'));
      return true;
    }
    const result = this.#raft.transfer(to);
    if (result.type === 'started') {
      this.#pending.push(waiter);
      return true;
    }
    switch (result.reason) {
      case 'self':
        answerWaiter(waiter, DONE);
        return true;
      case 'notVoter':
        answerWaiter(waiter, failure('invalid-argument', `${to} is not a voter of this cluster`));
        return true;
      case 'notLeader':
      case 'transferring':
        return false;
      default:
        return unreachable(result.reason);
    }
  }

  ended(event: Extract<RaftEvent, { type: 'transferEnded' }>): void {
    const pending = this.#pending;
    this.#pending = [];
    const missed = failure('timeout', `${event.to} did not take leadership over in time`);
    answerAll(pending, event.completed ? DONE : missed);
  }

  expire(now: number): void {
    if (!this.#pending.some(({ deadline }) => deadline <= now)) return;
    const late = this.#pending.filter(({ deadline }) => deadline <= now);
    this.#pending = this.#pending.filter(({ deadline }) => deadline > now);
    answerAll(late, this.#excuse('unknown'));
  }

  failAll(answer: Answer): void {
    answerAll(this.#pending, answer);
    this.#pending = [];
  }
}
