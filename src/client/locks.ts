import { HoldfastError } from '../base/index.ts';
import type { ByteString, LockMode } from '../registry/index.ts';
import { ClientSession, isGone } from './client-session.ts';
import { encodeMetadata, textOf } from './edge.ts';
import { HeldLockHandle } from './held-lock.ts';
import { LockClaims, type Claim } from './lock-claims.ts';
import { wholeQueue } from './pages.ts';
import { termsOf } from './lock-edge.ts';
import {
  mayPass,
  untilHeld,
  untilLost,
  type LockHost,
  type Place,
  type Queued,
} from './lock-waiting.ts';
import { NOBODY, resultOf, type Actor, type Patience, type Prepared } from './proposals.ts';
import type { CallOptions, LockOptions } from './registry.ts';
import { pause, sharedController, WaitEnd } from './waiting.ts';

const CLEANUP_TIMEOUT_MS = 5_000;
const CLEANUP_PAUSE_MS = 500;

/** Takes and releases locks; what a caller gave up waiting for never stays behind in a queue. */
export class Locks {
  readonly #host: LockHost;
  readonly #claims = new LockClaims();
  readonly #closing = sharedController();

  constructor(host: LockHost) {
    this.#host = host;
  }

  async lock(
    name: ByteString,
    actor: Actor,
    options: LockOptions,
    waitMs: number | undefined,
  ): Promise<HeldLockHandle> {
    const end = this.#waitEnd(actor, options.signal, waitMs, textOf(name));
    try {
      end.throwIfEnded();
      const claim =
        this.#claims.enterNow(name, actor.session) ?? (await this.#enter(name, actor, end));
      const queued = await this.#enqueue(name, actor, options, end, claim);
      try {
        const revision = await untilHeld(this.#host, queued, end);
        return new HeldLockHandle(this, actor, claim, { ...queued, revision });
      } catch (error) {
        if (isGone(error)) actor.gone();
        this.releaseInBackground(queued, claim);
        throw error;
      }
    } catch (error) {
      throw end.error ?? error;
    } finally {
      end.dispose();
    }
  }

  /** Waits for an earlier release; whoever gave up by then leaves again. */
  async #enter(name: ByteString, actor: Actor, end: WaitEnd): Promise<Claim> {
    const entering = this.#claims.enter(name, actor.session);
    try {
      return await end.race(entering);
    } catch (error) {
      void entering.then((claim) => claim.leave());
      throw error;
    }
  }

  /** Releases by the holder's session and token. */
  async unlock(
    place: Omit<Place, 'mode'>,
    actor: Actor,
    options: CallOptions | undefined,
  ): Promise<void> {
    const { name, session, token } = place;
    const command = { type: 'unlock', name, session, token } as const;
    await this.#host.proposals.propose(command, actor, this.#host.patience(options));
  }

  /** Goes on releasing until the cluster has it, however long that takes; nobody waits. */
  releaseInBackground(place: Place, claim: Claim): void {
    claim.leaveAfter(() => this.#persistently(() => this.#leave(place)));
  }

  /** Tells of the loss of a lock that is held: by an operator's break, or its session's end. */
  watchOver(lock: HeldLockHandle, actor: Actor, lost: (error: HoldfastError) => void): WaitEnd {
    const end = this.#waitEnd(actor, undefined, undefined, lock.name);
    // At once, not by way of a promise: the body must know before anything else happens.
    const ended = (): void => {
      if (end.error !== undefined && end.error.code !== 'aborted') lost(end.error);
    };
    end.signal.addEventListener('abort', ended);
    ended();
    untilLost(this.#host, lock.place, lock.place.revision, end).catch((error: unknown) => {
      if (end.error === undefined) lost(asLoss(error, lock.name));
    });
    return end;
  }

  close(): void {
    this.#closing.abort();
  }

  #waitEnd(
    actor: Actor,
    signal: AbortSignal | undefined,
    waitMs: number | undefined,
    name: string,
  ): WaitEnd {
    const { environment } = this.#host.proposals;
    const end = new WaitEnd();
    if (actor instanceof ClientSession) {
      end.onAbortOf(actor.signal, () => sessionLost(actor.signal, name));
    }
    const aborted = (): HoldfastError =>
      new HoldfastError('aborted', `waiting for lock '${name}' was aborted by its signal`);
    const late = `lock '${name}' was not free within ${waitMs} ms`;
    return end
      .onAbortOf(this.#closing.signal, registryClosed)
      .onAbortOf(signal, aborted)
      .after(waitMs, environment, () => new HoldfastError('lock-timeout', late));
  }

  /**
   * Joins the queue. When it is unknown whether it did, it is taken out again in the background.
   */
  async #enqueue(
    name: ByteString,
    actor: Actor,
    options: LockOptions,
    end: WaitEnd,
    claim: Claim,
  ): Promise<Queued> {
    const { proposals } = this.#host;
    const patience = { deadlineMs: this.#host.patience(options).deadlineMs, signal: end.signal };
    let prepared: Prepared | undefined;
    try {
      const metadata = encodeMetadata(options.metadata);
      const terms = termsOf(options);
      const wait = options.try !== true;
      const command = { type: 'lock', name, wait, metadata, terms } as const;
      for (;;) {
        const attempt = await proposals.prepare(command, actor, patience);
        prepared = attempt;
        try {
          const queued = await this.#send(attempt, name, terms.mode, patience);
          proposals.settle(attempt);
          return queued;
        } catch (error) {
          if (!proposals.mayTakeAnotherNumber(error, patience)) throw error;
          proposals.settle(attempt);
          prepared = undefined;
          await proposals.windowPause(patience);
        }
      }
    } catch (error) {
      const inDoubt = error instanceof HoldfastError && error.outcome === 'unknown';
      const attempt = prepared;
      if (attempt === undefined || !inDoubt) {
        claim.leave();
        if (attempt !== undefined) proposals.settle(attempt);
      } else {
        claim.leaveAfter(async () => {
          await this.#persistently(() => this.#findAndLeave(attempt, name));
          proposals.settle(attempt);
        });
      }
      throw error;
    }
  }

  async #send(
    prepared: Prepared,
    name: ByteString,
    mode: LockMode,
    patience: Patience,
  ): Promise<Queued> {
    const applied = await this.#host.proposals.send(prepared, patience);
    const { token, revision, held } = resultOf(applied.result, 'lock');
    return { name, session: prepared.actor.session, token, mode, revision, held };
  }

  /** Until it is done, or can no longer be: then the session's end does it. */
  async #persistently(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await work();
        return;
      } catch (error) {
        if (!mayPass(error)) return;
        await pause(CLEANUP_PAUSE_MS, this.#host.proposals.environment, signal);
      }
    }
  }

  /** Harmless to repeat: a token is never given twice. */
  async #leave({ name, session, token }: Omit<Place, 'mode'>): Promise<void> {
    const command = { type: 'unlock', name, session, token } as const;
    await this.#host.proposals.propose(command, NOBODY, this.#background(), true);
  }

  /** The token is not known yet: a numbered attempt repeated tells it, else the queue does. */
  async #findAndLeave(prepared: Prepared, name: ByteString): Promise<void> {
    if (prepared.sequence > 0) {
      await this.#leave(await this.#send(prepared, name, 'exclusive', this.#background()));
      return;
    }
    const { session } = prepared.actor;
    const { proposals } = this.#host;
    const { queue } = await wholeQueue(proposals, name, 'linearizable', this.#background());
    const own = queue.find((one) => one.session === session);
    if (own === undefined) return;
    await this.#leave({ name, session, token: own.token });
  }

  #background(): Patience {
    const { environment } = this.#host.proposals;
    const deadlineMs = environment.now() + CLEANUP_TIMEOUT_MS;
    return { deadlineMs, signal: this.#closing.signal };
  }
}

/** Nobody watches over the lock any more: whoever holds it must not believe so for longer. */
function asLoss(error: unknown, name: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const why = error instanceof Error ? error.message : String(error);
  const message = `lock '${name}' can no longer be watched over: ${why}`;
  return new HoldfastError('internal', message, { outcome: 'unknown', cause: error });
}

function registryClosed(): HoldfastError {
  return new HoldfastError('closed', 'the registry is closed');
}

function sessionLost(signal: AbortSignal, name: string): HoldfastError {
  const why: unknown = signal.reason;
  const text = why instanceof Error ? `: ${why.message}` : '';
  return new HoldfastError('session-expired', `the session of lock '${name}' is over${text}`);
}
