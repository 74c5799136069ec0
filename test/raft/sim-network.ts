/** A network in memory: one queue a link, and nothing moves unless told to. */
import type { Message, NodeId } from '../../src/raft/index.ts';

export interface Link {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly queue: Message[];
  cut: boolean;
}

export class SimNetwork {
  readonly #links = new Map<string, Link>();

  link(from: NodeId, to: NodeId): Link {
    const key = `${from}>${to}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = { from, to, queue: [], cut: false };
      this.#links.set(key, link);
    }
    return link;
  }

  /** Links with something in flight that could arrive. */
  busyLinks(): Link[] {
    const busy: Link[] = [];
    for (const link of this.#links.values()) {
      if (link.queue.length > 0 && !link.cut) busy.push(link);
    }
    return busy;
  }

  links(): Link[] {
    return [...this.#links.values()];
  }

  /** What is sent into a cut link is lost. */
  send(message: Message): boolean {
    const link = this.link(message.from, message.to);
    if (link.cut) return false;
    link.queue.push(message);
    return true;
  }

  /** Takes one message off a link; `position` beyond 0 reorders. */
  take(from: NodeId, to: NodeId, position = 0): Message | undefined {
    return this.link(from, to).queue.splice(position, 1)[0];
  }

  /** Cuts every link between nodes of different groups, both ways; nodes not named are cut off. */
  partition(nodes: readonly NodeId[], groups: readonly (readonly NodeId[])[]): void {
    const groupOf = (id: NodeId): number => groups.findIndex((group) => group.includes(id));
    for (const from of nodes) {
      for (const to of nodes) {
        if (from === to) continue;
        const together = groupOf(from) === groupOf(to) && groupOf(from) >= 0;
        this.link(from, to).cut = !together;
      }
    }
  }

  heal(): void {
    for (const link of this.#links.values()) link.cut = false;
  }

  /** Drops all that is in flight. */
  clear(): void {
    for (const link of this.#links.values()) link.queue.length = 0;
  }
}
