/** What both ends of a client connection agree on without asking. */

/** Longest patience a request can ask for, in ms: one day. Longer ones are cut to it. */
export const MAX_REQUEST_TIMEOUT_MS = 86_400_000;

/** Bytes of watch events a server sends before it waits for `watchCredit`. */
export const WATCH_WINDOW_BYTES = 1_048_576;

/** Bytes around a command or query inside a request, at most. */
export const REQUEST_OVERHEAD_BYTES = 64;

export const MAX_NODE_ID_BYTES = 64;
export const MAX_ADDRESS_BYTES = 320;
/** A watch's `start` and `end`, and a lock's name: room for any key and the byte after it. */
export const MAX_WATCH_BOUND_BYTES = 65_536;
