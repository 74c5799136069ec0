/** What a node's process is told from outside; `child-preload.ts` obeys it there. */
export type ChildCommand =
  /** Its clock and its timers run so much faster than the platform's. */
  | { readonly type: 'clockRate'; readonly rate: number }
  /** Its clock is ahead by so much more. */
  | { readonly type: 'clockJump'; readonly byMs: number }
  /** Its event loop is blocked. */
  | { readonly type: 'stall'; readonly forMs: number };
