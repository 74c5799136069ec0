/** What is to happen, earliest first; at one time in the order in which it was scheduled. */

export interface ScheduledEvent {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}

/** A binary heap. */
export class EventHeap {
  readonly #items: ScheduledEvent[] = [];

  get size(): number {
    return this.#items.length;
  }

  get first(): ScheduledEvent | undefined {
    return this.#items[0];
  }

  push(event: ScheduledEvent): void {
    const items = this.#items;
    let at = items.length;
    items.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = event;
  }

  pop(): ScheduledEvent | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (top === undefined || last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child += 1;
      if (!isBefore(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}
