/** The client of the bare pipeline: so many frames under way, each answer followed by the next. */
import { connect, type Socket } from 'node:net';
import type { LoadResult } from '../load/closed-loop.ts';
import { percentiles } from '../measure/statistics.ts';
import { FrameCutter, framesOf } from './frames.ts';
import type { LimitLoad, LimitSpec } from './limit-spec.ts';

export function runClient(
  spec: LimitSpec,
  port: number,
  load: LimitLoad,
  onBegun: () => void,
): Promise<LoadResult> {
  const { inFlight, connections, warmUpMs, measureMs } = load;
  const begin = performance.now() + warmUpMs;
  const end = begin + measureMs;
  const startedAt = new Float64Array(inFlight);
  const samples: number[] = [];
  const sockets: Socket[] = [];
  const timer = setTimeout(onBegun, warmUpMs);
  let ended = 0;
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      const perSecond = (samples.length / measureMs) * 1000;
      resolve({ perSecond, latency: percentiles(samples), calls: samples.length });
    };
    const open = (own: readonly number[]): void => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let answered: number[] = [];
      const cutter = new FrameCutter((number) => answered.push(number));
      const send = (numbers: readonly number[], now: number): void => {
        for (const number of numbers) startedAt[number] = now;
        socket.write(framesOf(numbers, spec.requestBytes));
      };
      socket.once('connect', () => send(own, performance.now()));
      socket.once('error', reject);
      socket.on('data', (chunk: Buffer) => {
        answered = [];
        cutter.push(chunk);
        const now = performance.now();
        if (now >= begin && now <= end) {
          for (const number of answered) samples.push(now - startedAt[number]!);
        }
        if (now < end) send(answered, now);
        else if ((ended += answered.length) === inFlight) finish();
      });
      sockets.push(socket);
    };
    const numbers = Array.from({ length: inFlight }, (_, i) => i);
    for (let i = 0; i < connections; i++)
      open(numbers.filter((number) => number % connections === i));
  });
}
