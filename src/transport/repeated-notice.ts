/** A line that would be said at every retry is said once, and again only when it changes. */
export class RepeatedNotice {
  readonly #notice: (line: string) => void;
  #last: string | undefined = undefined;

  constructor(notice: (line: string) => void) {
    this.#notice = notice;
  }

  say(line: string): void {
    if (line === this.#last) return;
    this.#last = line;
    this.#notice(line);
  }

  /** All is well: the next line is said even when it is the same as before. */
  clear(): void {
    this.#last = undefined;
  }
}
