/** A bounded part of the messages of a run. */
import type { PeerMessage } from '../../src/transport/index.ts';
import type { Message, MessageSample } from './run-record.ts';

/** The latest are kept: a run that fails ends with its failure. */
const KEPT = 20_000;

export interface SentMessage {
  readonly message: PeerMessage;
  readonly sentMs: number;
  receivedMs: number | null;
}

/** One message in a few words. */
function describe(message: PeerMessage): string {
  if (!('term' in message)) return message.type;
  const term = `term ${message.term}`;
  if (message.type === 'appendRequest') {
    const { entries, prevIndex, commit } = message;
    const what = entries.length === 0 ? 'nothing' : `${prevIndex + 1}..${entries.at(-1)!.index}`;
    return `${term}, ${what} after ${prevIndex}, commit ${commit}`;
  }
  if (message.type === 'appendResponse') {
    const { result } = message;
    if (result.type === 'accepted') return `${term}, holds ${result.matchIndex}`;
    return `${term}, refused, try ${result.hintIndex}`;
  }
  return 'granted' in message ? `${term}, ${message.granted ? 'granted' : 'refused'}` : term;
}

export class MessageLog {
  #latest: SentMessage[] = [];
  #before: SentMessage[] = [];
  #sent = 0;

  sent(message: PeerMessage, sentMs: number): SentMessage {
    const sent = { message, sentMs, receivedMs: null };
    this.#sent += 1;
    this.#latest.push(sent);
    if (this.#latest.length >= KEPT) {
      this.#before = this.#latest;
      this.#latest = [];
    }
    return sent;
  }

  sample(): MessageSample {
    const kept = [...this.#before, ...this.#latest].slice(-KEPT);
    const choice = kept.length === this.#sent ? 'all' : `the last ${KEPT}`;
    return { sent: this.#sent, choice, kept: kept.map(toRecord) };
  }
}

function toRecord({ message, sentMs, receivedMs }: SentMessage): Message {
  const { from, to, type } = message;
  return { from, to, type, sentMs, receivedMs, text: describe(message) };
}
