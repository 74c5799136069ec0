import type { Channel, ChannelEvents, Request, Response } from '../protocol/index.ts';
import {
  Conversation,
  type ClientEnd,
  type ConversationContext,
  type Outlet,
} from './conversation.ts';

/** What an opener of channels wants to hear. */
export interface LocalChannelHooks {
  /** Once, when the channel is over, whoever ended it. */
  readonly onClosed: (end: ClientEnd) => void;
  /** The receiver of the events threw, which must not harm the node. */
  readonly onFault: (error: unknown) => void;
}

/**
 * A conversation without a network, for a registry in the node's own process. As over a network,
 * nothing is delivered inside `send`, and `closed` is the last thing that is.
 */
export class LocalChannel implements Channel, ClientEnd {
  readonly conversation: Conversation;
  readonly #outlet: LocalOutlet;
  readonly #onClosed: (end: ClientEnd) => void;
  #closed = false;

  constructor(context: ConversationContext, events: ChannelEvents, hooks: LocalChannelHooks) {
    this.#onClosed = hooks.onClosed;
    this.#outlet = new LocalOutlet(events, hooks.onFault, (reason) => this.#end(reason));
    this.conversation = new Conversation(context, this.#outlet);
  }

  send(request: Request): void {
    this.#outlet.hold(() => this.conversation.handle(request));
  }

  /** By the client, who wants to hear nothing more. */
  close(): void {
    this.#end(undefined);
  }

  notify(response: Response): void {
    if (!this.#closed) this.#outlet.hold(() => this.#outlet.send(response));
  }

  finish(reason: string): void {
    this.conversation.stop();
    this.#end(reason);
  }

  #end(reason: string | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.conversation.close();
    this.#outlet.end(reason);
    this.#onClosed(this);
  }
}

/** Hands responses over: at once, or after the `send` that caused them. */
class LocalOutlet implements Outlet {
  readonly #events: ChannelEvents;
  readonly #onFault: (error: unknown) => void;
  readonly #onAbandon: (reason: string) => void;
  readonly #waiting: (() => void)[] = [];
  #holding = false;
  #silent = false;

  constructor(
    events: ChannelEvents,
    onFault: (error: unknown) => void,
    onAbandon: (reason: string) => void,
  ) {
    this.#events = events;
    this.#onFault = onFault;
    this.#onAbandon = onAbandon;
  }

  /** A caller in the same process takes what it is given; watches have their windows. */
  get writable(): boolean {
    return true;
  }

  send(response: Response): void {
    // Behind those that wait already, or order would be lost.
    if (this.#holding || this.#waiting.length > 0) this.#later(() => this.#respond(response));
    else this.#respond(response);
  }

  abandon(reason: string): void {
    this.#onAbandon(reason);
  }

  /** What `work` answers is delivered after it. */
  hold(work: () => void): void {
    const before = this.#holding;
    this.#holding = true;
    try {
      work();
    } finally {
      this.#holding = before;
    }
  }

  /** Nothing more; `reason`, unless undefined, is told as the last word. */
  end(reason: string | undefined): void {
    if (reason === undefined) this.#silent = true;
    else this.#later(() => this.#deliver(() => this.#events.closed(reason)));
  }

  #later(work: () => void): void {
    if (this.#waiting.length === 0) queueMicrotask(() => this.#release());
    this.#waiting.push(work);
  }

  #release(): void {
    // What the receiver asks for meanwhile is answered behind, in the same round.
    for (const work of this.#waiting) work();
    this.#waiting.length = 0;
  }

  #respond(response: Response): void {
    this.#deliver(() => this.#events.response(response));
  }

  #deliver(call: () => void): void {
    if (this.#silent) return;
    try {
      call();
    } catch (error) {
      this.#onFault(error);
    }
  }
}
