import type { Request, Response } from './requests.ts';

/** One client's conversation with one node, whatever carries it: a socket, or a call in process. */
export interface Channel {
  /** Never waits and never throws; what cannot be sent is answered with an error response. */
  send(request: Request): void;
  /** Stops watches and waiting; writes under way may still be applied. */
  close(): void;
}

/** The other end of a channel. */
export interface ChannelEvents {
  /** Exactly one final response per request, in any order; watches answer many times. */
  response(response: Response): void;
  /** Nothing more will come: every unanswered request has an unknown outcome. */
  closed(reason: string): void;
}

/**
 * Opens a channel to a node; implemented by the server in process and by the client over a socket.
 */
export type OpenChannel = (events: ChannelEvents) => Channel;
