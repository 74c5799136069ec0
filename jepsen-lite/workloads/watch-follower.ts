/** One watch, kept up over its ends; what it is told goes into the history. */
import {
  HoldfastError,
  type Watch,
  type WatchEvent,
  type WatchOptions,
  type WatchProgress,
} from '../../src/client/index.ts';
import type { WorkloadContext } from './workload.ts';

export type WatchSubject = Pick<WatchOptions, 'prefix' | 'events' | 'previous'>;

export class WatchFollower {
  readonly #context: WorkloadContext;
  readonly #name: string;
  readonly #subject: WatchSubject;
  /** First revision wanted; undefined for the next there is. */
  #from: number | undefined;

  constructor(context: WorkloadContext, name: string, subject: WatchSubject, from?: number) {
    this.#context = context;
    this.#name = name;
    this.#subject = subject;
    this.#from = from;
  }

  /** The revision after the last that was told whole; undefined before anything was. */
  get from(): number | undefined {
    return this.#from;
  }

  /** Until `isEnough`, the signal, or the watch's own end; called again, it goes on there. */
  async follow(
    signal: AbortSignal,
    isEnough: (item: WatchEvent | WatchProgress) => Promise<boolean> | boolean,
  ): Promise<void> {
    const watch = this.#begin(signal);
    try {
      for await (const item of watch) {
        this.#note(item);
        if (item.type === 'progress' || item.last) this.#from = item.revision + 1;
        else this.#from = item.revision;
        if (await isEnough(item)) return;
      }
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      const output = { code: error.code, resumeFrom: error.resumeFrom ?? null };
      this.#context.note('watch-ended', { value: { watch: this.#name }, output });
      if (error.resumeFrom === undefined) throw error;
      this.#from = error.resumeFrom;
    } finally {
      await watch.close();
    }
  }

  #begin(signal: AbortSignal): Watch<WatchEvent | WatchProgress> {
    const from = this.#from === undefined ? {} : { from: this.#from };
    const value = { watch: this.#name, ...from, ...this.#subject };
    this.#context.note('watch', { value });
    const options = { ...this.#subject, ...from, signal, progress: true } as const;
    const watch = this.#context.registry.watch(options);
    if (this.#from === undefined) void this.#noteStart(watch.started);
    return watch;
  }

  async #noteStart(started: Promise<{ readonly revision: number }>): Promise<void> {
    try {
      const { revision } = await started;
      this.#from ??= revision + 1;
      this.#context.note('watch-started', { value: { watch: this.#name }, revision });
    } catch {
      // The iteration says why.
    }
  }

  #note(item: WatchEvent | WatchProgress): void {
    const value = { watch: this.#name };
    const { revision } = item;
    if (item.type === 'progress') {
      this.#context.note('progress', { value, revision });
      return;
    }
    const { type, key, record, previous, cause, last } = item;
    // Without one the key is new, or history has forgotten it.
    const isNew = type === 'put' && record.version === 1;
    const before = previous && { value: previous.text(), revision: previous.modRevision };
    const output = {
      type,
      ...(type === 'put' && { value: record.text() }),
      ...(before !== undefined && { previous: before }),
      ...(isNew && { previous: before ?? null }),
      cause,
      last,
    };
    this.#context.note('event', { key, value, output, revision });
  }
}
