import { HoldfastError } from '../base/index.ts';
import type { ClientSession } from './client-session.ts';
import { PASSING } from './error-response.ts';
import type { Patience } from './proposals.ts';
import { WaitEnd } from './waiting.ts';
import type { ClientEnvironment } from './environment.ts';

/**
 * The session a registry acts for when its user names none: opened with the first write, renewed in
 * the background, and replaced by a new one after it ended. A write belongs to one session for
 * good.
 */
export class OwnSession {
  readonly #open: () => Promise<ClientSession>;
  readonly #environment: ClientEnvironment;
  #current: ClientSession | undefined = undefined;
  #opening: Promise<ClientSession> | undefined = undefined;
  #closed = false;
  /** The last one to be asked for locks, or for keys that go with it. */
  #reliedOn: ClientSession | undefined = undefined;

  constructor(open: () => Promise<ClientSession>, environment: ClientEnvironment) {
    this.#open = open;
    this.#environment = environment;
  }

  /** The session as it is; undefined when there is none (any more). */
  current(): ClientSession | undefined {
    return this.#current?.isLive === true ? this.#current : undefined;
  }

  /** The session, opened if need be. A failure has not applied what it was wanted for. */
  async acquire(patience: Patience): Promise<ClientSession> {
    const leftMs = patience.deadlineMs - this.#environment.now();
    const end = new WaitEnd()
      .onAbortOf(patience.signal, () => new HoldfastError('aborted', 'aborted by its signal'))
      .after(leftMs, this.#environment, () => new HoldfastError('timeout', 'no session in time'));
    try {
      return await this.#acquire(end);
    } finally {
      end.dispose();
    }
  }

  /** What is done for it now depends on its life. */
  relyOn(session: ClientSession): void {
    this.#reliedOn = session;
  }

  /** Whether its end takes nothing along: no locks, no keys, nobody's trust. */
  ownsNothing(session: ClientSession): boolean {
    return this.#reliedOn !== session;
  }

  async close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    const session = this.#current;
    this.#current = undefined;
    if (session?.isLive === true) await session.close({ timeout: timeoutMs });
  }

  async #acquire(end: WaitEnd): Promise<ClientSession> {
    let lastError: HoldfastError | undefined;
    for (;;) {
      const current = this.current();
      if (current !== undefined) return current;
      if (end.error !== undefined) throw lastError ?? end.error;
      try {
        return await end.race(this.#opened());
      } catch (error) {
        // What was in the way all the time tells more than that the time is over.
        const now = openingError(error, end);
        if (end.error === error && now.code === 'timeout') throw lastError ?? now;
        lastError = now;
        // Closed, no session will ever be: asking on would not even leave time for the end to come.
        const isFinal = this.#closed || !PASSING.has(lastError.code);
        if (end.error === error || isFinal) throw lastError;
      }
    }
  }

  #opened(): Promise<ClientSession> {
    this.#opening ??= this.#open().then(
      (session) => {
        this.#opening = undefined;
        if (this.#closed) session.abandon();
        else this.#current = session;
        return session;
      },
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }
}

/** Whatever became of the session, the write itself never left. */
function openingError(error: unknown, end: WaitEnd): HoldfastError {
  if (error === end.error && error instanceof HoldfastError) return error;
  if (!(error instanceof HoldfastError)) throw error;
  const { code, message, leader } = error;
  const text = `no session to write with: ${message}`;
  const options = leader === undefined ? { cause: error } : { cause: error, leader };
  return new HoldfastError(code, text, options);
}
