import { RepeatedNotice } from '../repeated-notice.ts';

/** More than this many at once are told apart no longer; the memory of them starts over. */
const MAX_REMEMBERED = 256;

/** Lines about connections that come again and again: one per source until its reason changes. */
export class StrangerNotices {
  readonly #notice: (line: string) => void;
  readonly #bySource = new Map<string, RepeatedNotice>();

  constructor(notice: (line: string) => void) {
    this.#notice = notice;
  }

  say(source: string, line: string): void {
    let notice = this.#bySource.get(source);
    if (notice === undefined) {
      if (this.#bySource.size >= MAX_REMEMBERED) this.#bySource.clear();
      notice = new RepeatedNotice(this.#notice);
      this.#bySource.set(source, notice);
    }
    notice.say(line);
  }

  /** The source has behaved: its next fault is news. */
  forget(source: string): void {
    this.#bySource.delete(source);
  }
}
