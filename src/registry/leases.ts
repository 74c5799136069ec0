import { MalformedBytesError } from '../base/index.ts';
import { encodeCommand } from './codec/command.ts';
import { decodeLeaseQuery, encodeLeaseAnswer } from './codec/lease.ts';
import type { RegistryState } from './state.ts';
import type { CommandHeader, LeaseQuery, SessionId } from './types.ts';

/** A proposal that has had no effect after so much cluster time is made again. */
const PROPOSE_AGAIN_MS = 1000;
/** Sessions ended by one command, at most. */
const MAX_EXPIRED_TOGETHER = 512;
/** Leases of sessions that are closed already, tolerated beside as many as there are open ones. */
const STALE_LEASES = 1024;

const HEADER: CommandHeader = {
  session: 0 as SessionId,
  sequence: 0,
  acknowledged: 0,
  node: '',
};

interface Lease {
  readonly session: SessionId;
  readonly ttlMs: number;
  /** Renewals move it. */
  deadline: number;
  /** Its time in the queue; not above the deadline. */
  queuedAt: number;
  /** Its end has been proposed: no renewal any more. */
  expiring: boolean;
}

/**
 * When each session ends unless it is kept alive: known to the leader only. Keep-alives therefore
 * cost no log entry; ending a session does. A new leader, which knows of no renewals, gives every
 * session its full TTL.
 */
export class SessionLeases {
  /** The state can be replaced by a restore, so it is asked for each time. */
  readonly #state: () => RegistryState;
  #leading = false;
  readonly #leases: Map<SessionId, Lease> = new Map();
  readonly #queue = new LeaseQueue();
  /** Cluster time when last told of it. */
  #now = 0;
  /** Cluster time of the last tick proposed that has not been applied as far as is known. */
  #tickAt = -Infinity;

  constructor(state: () => RegistryState) {
    this.#state = state;
  }

  /** Cluster time in whole ms as far as it is known; 0 for anyone but the leader. */
  get now(): number {
    return Math.floor(this.#now);
  }

  /** Whole ms until a session ends unless it is renewed; undefined for anyone but the leader. */
  remainingMs(session: SessionId): number | undefined {
    const lease = this.#leases.get(session);
    return lease === undefined ? undefined : Math.max(0, Math.floor(lease.deadline - this.#now));
  }

  elected(time: number): void {
    this.deposed();
    this.#leading = true;
    this.#now = time;
    for (const session of this.#state().store.sessions.values()) {
      this.opened(session.id, session.ttlMs, time);
    }
  }

  deposed(): void {
    this.#leading = false;
    this.#leases.clear();
    this.#queue.clear();
    this.#tickAt = -Infinity;
    this.#now = 0;
  }

  /** A session was opened at `time` of the log. */
  opened(session: SessionId, ttlMs: number, time: number): void {
    // A retried command answers with the session again: it has its lease already.
    if (!this.#leading || this.#leases.has(session)) return;
    if (this.#queue.size > 2 * this.#state().store.sessions.size + STALE_LEASES) this.#tidy();
    const deadline = time + ttlMs;
    const lease: Lease = { session, ttlMs, deadline, queuedAt: deadline, expiring: false };
    this.#leases.set(session, lease);
    this.#queue.push(lease);
  }

  /** Forgets the leases of sessions that ended before their time. */
  #tidy(): void {
    const { sessions } = this.#state().store;
    const stale = [...this.#leases.keys()].filter((id) => sessions.get(id) === undefined);
    for (const id of stale) this.#leases.delete(id);
    this.#queue.clear();
    for (const lease of this.#leases.values()) this.#queue.push(lease);
  }

  /** Renews sessions from `time` on. Bytes that are no lease query get an answer for no session. */
  query(request: Uint8Array, time: number): Uint8Array {
    const { sessions } = readQuery(request);
    this.#now = time;
    const ttlMs = sessions.map((session) => this.#renew(session, time));
    return encodeLeaseAnswer({ type: 'keepAlive', ttlMs });
  }

  /** 0 for a session that has ended, or whose end is on its way through the log. */
  #renew(session: SessionId, time: number): number {
    const lease = this.#leases.get(session);
    if (lease === undefined || lease.expiring) return 0;
    if (this.#state().store.sessions.get(session) === undefined) return 0;
    lease.deadline = Math.max(lease.deadline, time + lease.ttlMs);
    return lease.ttlMs;
  }

  /** Ends sessions that were not kept alive, or asks for a tick when a key's time has come. */
  due(time: number): Uint8Array | undefined {
    if (!this.#leading) return undefined;
    this.#now = time;
    const sessions = this.#overdue(time);
    if (sessions.length > 0) return encodeCommand(HEADER, { type: 'expireSessions', sessions });
    const { store } = this.#state();
    if (store.expiry.due(time) === undefined) return undefined;
    if (time < this.#tickAt + PROPOSE_AGAIN_MS && store.time < this.#tickAt) return undefined;
    this.#tickAt = Math.floor(time);
    return encodeCommand(HEADER, { type: 'tick' });
  }

  /** Each is proposed again only after a while, should its end not have come by then. */
  #overdue(time: number): SessionId[] {
    const { sessions } = this.#state().store;
    const overdue: SessionId[] = [];
    while (overdue.length < MAX_EXPIRED_TOGETHER) {
      const lease = this.#queue.popDue(time);
      if (lease === undefined) break;
      if (sessions.get(lease.session) === undefined) {
        this.#leases.delete(lease.session);
        continue;
      }
      lease.expiring ||= lease.deadline <= time;
      if (lease.expiring) overdue.push(lease.session);
      lease.queuedAt = lease.expiring ? time + PROPOSE_AGAIN_MS : lease.deadline;
      this.#queue.push(lease);
    }
    return overdue;
  }
}

function readQuery(request: Uint8Array): LeaseQuery {
  try {
    return decodeLeaseQuery(request);
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    return { type: 'keepAlive', sessions: [] };
  }
}

/** A binary heap by `queuedAt`. */
class LeaseQueue {
  #heap: Lease[] = [];

  get size(): number {
    return this.#heap.length;
  }

  clear(): void {
    this.#heap = [];
  }

  push(lease: Lease): void {
    const heap = this.#heap;
    let slot = heap.length;
    while (slot > 0) {
      const above = (slot - 1) >>> 1;
      const parent = heap[above]!;
      if (parent.queuedAt <= lease.queuedAt) break;
      heap[slot] = parent;
      slot = above;
    }
    heap[slot] = lease;
  }

  /** Takes out the first if its time is not after `time`. */
  popDue(time: number): Lease | undefined {
    const heap = this.#heap;
    const top = heap[0];
    if (top === undefined || top.queuedAt > time) return undefined;
    const last = heap.pop()!;
    if (last !== top) this.#sinkFromTop(last);
    return top;
  }

  #sinkFromTop(lease: Lease): void {
    const heap = this.#heap;
    let slot = 0;
    for (;;) {
      let below = slot * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]!.queuedAt < heap[below]!.queuedAt) below++;
      if (heap[below]!.queuedAt >= lease.queuedAt) break;
      heap[slot] = heap[below]!;
      slot = below;
    }
    heap[slot] = lease;
  }
}
