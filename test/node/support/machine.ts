/** A state machine that remembers how often it saw each command. */
import type { ApplyContext, LeaderSide, StateMachine } from '../../../src/node/index.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const bytes = (text: string): Uint8Array => encoder.encode(text);
export const text = (data: Uint8Array): string => decoder.decode(data);

interface MachineState {
  readonly counts: [string, number][];
  readonly lastTime: number;
  readonly filler: string;
}

export interface Applied {
  readonly index: number;
  readonly command: string;
  readonly time: number;
}

/** Commands are texts; `throw...` throws, `fill:<n>` makes the state n bytes bigger. */
export class CountingMachine implements StateMachine {
  counts: Map<string, number> = new Map();
  /** Of this life, for checks: index and command of everything applied or restored. */
  readonly applied: Applied[] = [];
  onApply: ((applied: Applied) => void) | undefined;
  lastTime = 0;
  filler = '';
  restores = 0;
  /** Commands applied here for which nobody here waited. */
  readonly unanswered: string[] = [];
  readonly leaderSide: LeaderSide | undefined;

  constructor(leaderSide?: LeaderSide) {
    this.leaderSide = leaderSide;
  }

  apply(command: Uint8Array, context: ApplyContext): Uint8Array {
    const name = text(command);
    if (name.startsWith('throw')) throw new Error(`refuses ${name}`);
    if (name.startsWith('fill:')) this.filler = 'x'.repeat(Number(name.slice(5)));
    const count = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, count);
    this.lastTime = context.time;
    const applied = { index: context.index, command: name, time: context.time };
    this.applied.push(applied);
    this.onApply?.(applied);
    return bytes(`${name}#${count}@${context.index}`);
  }

  applyUnanswered(command: Uint8Array, context: ApplyContext): void {
    this.unanswered.push(text(command));
    this.apply(command, context);
  }

  query(request: Uint8Array): Uint8Array {
    return bytes(String(this.counts.get(text(request)) ?? 0));
  }

  get snapshotBytes(): number {
    return this.filler.length;
  }

  async *snapshot(): AsyncGenerator<Uint8Array> {
    const { lastTime, filler } = this;
    const state: MachineState = { counts: [...this.counts], lastTime, filler };
    const all = bytes(JSON.stringify(state));
    const length = Math.max(100, Math.ceil(all.length / 100));
    for (let at = 0; at < all.length; at += length) yield all.subarray(at, at + length);
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let all = '';
    for await (const chunk of chunks) all += text(chunk);
    const state = JSON.parse(all) as MachineState;
    this.counts = new Map(state.counts);
    this.lastTime = state.lastTime;
    this.filler = state.filler;
    this.restores += 1;
  }

  digest(): string {
    return JSON.stringify([...this.counts]);
  }
}
