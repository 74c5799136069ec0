import { HoldfastError } from '../base/index.ts';
import type { Request, Response } from '../protocol/index.ts';
import type { LockPlaceRef } from '../registry/index.ts';
import { backoffMs } from './backoff.ts';
import type { ClientEnvironment } from './environment.ts';
import { errorFromWire, PASSING } from './error-response.ts';
import type { Link, WatchAttachment, WatchSubscriber } from './link.ts';
import type { WaitEnd } from './waiting.ts';

export interface GrantWaitHost {
  readonly link: Pick<Link, 'watch'>;
  readonly environment: ClientEnvironment;
}

const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1_000;

/**
 * Waits for a node's word on a place in a lock's queue, here or, when the connection is lost, at
 * the next node: the encoded answer to the query `lockPlace`, once the place is held or gone.
 * Undefined when there was none within `patienceMs`. Rejects with why the wait ended.
 */
export function wordOnPlace(
  host: GrantWaitHost,
  place: LockPlaceRef,
  end: WaitEnd,
  patienceMs: number,
): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const wait = new GrantWait(host, place, (word) => {
      cancel();
      end.signal.removeEventListener('abort', ended);
      if (word instanceof HoldfastError) reject(word);
      else resolve(word);
    });
    const cancel = host.environment.setTimer(patienceMs, () => wait.finish(undefined));
    const ended = (): void => wait.finish(end.error);
    end.signal.addEventListener('abort', ended);
    if (end.signal.aborted) ended();
    else wait.begin();
  });
}

type Word = Uint8Array | HoldfastError | undefined;

class GrantWait implements WatchSubscriber {
  readonly #host: GrantWaitHost;
  readonly #place: LockPlaceRef;
  readonly #told: (word: Word) => void;
  #attachment: WatchAttachment | undefined = undefined;
  #cancelPause: (() => void) | undefined = undefined;
  #failures = 0;
  #over = false;

  constructor(host: GrantWaitHost, place: LockPlaceRef, told: (word: Word) => void) {
    this.#host = host;
    this.#place = place;
    this.#told = told;
  }

  begin(): void {
    const attachment = this.#host.link.watch(this);
    this.#attachment = attachment;
    // The answer may have come before `watch` returned.
    if (this.#over) attachment.close();
  }

  get wanted(): boolean {
    return !this.#over && this.#cancelPause === undefined;
  }

  request(id: number): Request {
    const { name, session, token } = this.#place;
    return { type: 'awaitGrant', id, name, session, token };
  }

  response(response: Response): void {
    if (response.type === 'ok') {
      this.finish(response.payload);
    } else if (response.type === 'error') {
      const { code, message, outcome, leader } = response;
      const error = errorFromWire(code, message, outcome, leader);
      if (PASSING.has(error.code)) this.#resumeLater();
      else this.finish(error);
    } else {
      const message = `waiting for a lock was answered with ${response.type}`;
      this.finish(new HoldfastError('internal', message));
    }
  }

  /** It is placed anew by the link. */
  detached(): void {
    this.#failures++;
  }

  ended(error: HoldfastError): void {
    this.finish(error);
  }

  finish(word: Word): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelPause?.();
    this.#attachment?.close();
    this.#told(word);
  }

  #resumeLater(): void {
    if (this.#over) return;
    const { environment } = this.#host;
    const delayMs = backoffMs(this.#failures++, FIRST_PAUSE_MS, MAX_PAUSE_MS, environment);
    this.#cancelPause?.();
    this.#cancelPause = environment.setTimer(delayMs, () => {
      this.#cancelPause = undefined;
      this.#attachment?.resume();
    });
  }
}
