/** What is written to, alone: a log store, or the least that writes to the same driver. */
import type { DiskKind } from '../limit/limit-spec.ts';

export type StoreSubject =
  | { readonly type: 'store'; readonly store: 'sqlite' | 'level' | 'memory' }
  | { readonly type: 'disk'; readonly disk: DiskKind };

export interface StoreSpec {
  readonly subject: StoreSubject;
  /** Exists, and is empty. */
  readonly directory: string;
  readonly entriesPerWrite: number;
  readonly entryBytes: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}
