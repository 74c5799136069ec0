/** Whether this node's disk is good enough to lead with. */
import type { HoldfastError } from '../base/index.ts';
import type { NodeId, RaftCore } from '../raft/index.ts';
import type { CampaignPermit } from './campaign-permit.ts';
import type { DiskWriter } from './disk-writer.ts';
import type { Runtime } from './runtime.ts';

/**
 * A disk must have been quick for so many times `slowWriteMs` before it counts as healthy again.
 */
const RECOVERY_FACTOR = 5;
/** Sat out by everyone, an election would never end: after so many timeouts a slow disk may run. */
const LEADERLESS_TIMEOUTS = 3;

/**
 * The write watchdog. A hung or failing disk would leave a leader that heartbeats but can commit
 * only slowly or not at all (hashicorp/raft #503, #614; etcd #13527). So a leader whose write is
 * outstanding longer than `slowWriteMs` hands over, and its node sits elections out until its
 * writes have been quick for a while.
 */
export class DiskHealth {
  readonly #runtime: Runtime;
  readonly #raft: RaftCore;
  readonly #writer: DiskWriter;
  readonly #permit: CampaignPermit;
  readonly #bestFollower: () => NodeId | undefined;
  #reason: string | undefined;
  #slowAt = -Infinity;
  #leaderAt: number;
  /** Until then a handover may take before leadership is simply dropped. */
  #handoverUntil: number | undefined;

  constructor(
    runtime: Runtime,
    raft: RaftCore,
    writer: DiskWriter,
    permit: CampaignPermit,
    bestFollower: () => NodeId | undefined,
  ) {
    this.#runtime = runtime;
    this.#raft = raft;
    this.#writer = writer;
    this.#permit = permit;
    this.#bestFollower = bestFollower;
    this.#leaderAt = runtime.environment.now();
  }

  /** Why this node sits elections out. */
  get unhealthy(): string | undefined {
    return this.#reason;
  }

  wrote(tookMs: number): void {
    if (tookMs > this.#runtime.settings.slowWriteMs) this.#slow(tookMs);
  }

  failed(error: HoldfastError): void {
    this.#slowAt = this.#runtime.environment.now();
    this.#reason = `the disk fails: ${error.message}`;
    this.#runtime.environment.log('error', this.#reason);
    // Unlike a slow disk, a broken one cannot even append what a handover would wait for.
    this.#dropLeadership();
  }

  tick(): void {
    const now = this.#runtime.environment.now();
    const { slowWriteMs, electionTimeoutMs } = this.#runtime.settings;
    if (this.#raft.leader !== undefined) this.#leaderAt = now;
    if (this.#writer.failure !== undefined) return;
    const waitedMs = this.#writer.waitedMs(now);
    if (waitedMs > slowWriteMs) this.#slow(waitedMs);
    if (this.#reason === undefined) return;
    if (this.#handoverUntil !== undefined && this.#handoverOver(now)) this.#dropLeadership();
    const quickMs = now - this.#slowAt;
    const leaderlessMs = now - this.#leaderAt;
    const needed = leaderlessMs > LEADERLESS_TIMEOUTS * electionTimeoutMs;
    if (quickMs > RECOVERY_FACTOR * slowWriteMs || (needed && waitedMs <= slowWriteMs)) {
      this.#recover();
    }
  }

  #slow(tookMs: number): void {
    const now = this.#runtime.environment.now();
    this.#slowAt = now;
    if (this.#reason !== undefined) return;
    this.#reason = `a durable write took longer than ${this.#runtime.settings.slowWriteMs} ms`;
    this.#runtime.environment.log('warn', `${this.#reason} (${Math.round(tookMs)} ms so far)`);
    const successor = this.#raft.role === 'leader' ? this.#bestFollower() : undefined;
    if (successor === undefined || this.#raft.transfer(successor).type !== 'started') {
      this.#dropLeadership();
    } else {
      this.#handoverUntil = now + this.#runtime.settings.electionTimeoutMs;
    }
  }

  #handoverOver(now: number): boolean {
    return this.#raft.role !== 'leader' || now >= this.#handoverUntil!;
  }

  #dropLeadership(): void {
    this.#handoverUntil = undefined;
    // A sole voter has nobody to hand over to: it stays in place and serves as fast as it can.
    if (!this.#soleVoter() || this.#writer.failure !== undefined) {
      this.#permit.forbid('disk');
    }
  }

  #soleVoter(): boolean {
    const { voters, outgoing } = this.#raft.membership;
    return voters.length === 1 && outgoing.length === 0 && voters[0] === this.#runtime.id;
  }

  #recover(): void {
    this.#reason = undefined;
    this.#handoverUntil = undefined;
    this.#permit.allow('disk');
    this.#runtime.environment.log('info', 'the disk is healthy again');
  }
}
