/** One measurement of three nodes in this process: `node program.js JSON`, see `InProcessSpec`. */
import { percentiles } from '../measure/statistics.ts';
import { startNodes, type Operate } from './nodes.ts';
import type { InProcessResult, InProcessSpec } from './spec.ts';

/** Each client begins its next operation when the one before is done; no promise is in between. */
function load(spec: InProcessSpec, operate: Operate): Promise<InProcessResult> {
  const { clients, warmUpMs, measureMs } = spec;
  const begin = performance.now() + warmUpMs;
  const end = begin + measureMs;
  const samples: number[] = [];
  let sequence = 0;
  let idle = 0;
  let cpu = process.cpuUsage();
  const timer = setTimeout(() => (cpu = process.cpuUsage()), warmUpMs);
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      const { user, system } = process.cpuUsage(cpu);
      resolve({
        perSecond: (samples.length / measureMs) * 1000,
        latency: percentiles(samples),
        calls: samples.length,
        micros: (user + system) / samples.length,
      });
    };
    const next = (): void => {
      const started = performance.now();
      operate(sequence++, (failed) => {
        if (failed) reject(new Error('an operation failed'));
        const now = performance.now();
        if (now >= begin && now <= end) samples.push(now - started);
        if (now < end) next();
        else if (++idle === clients) finish();
      });
    };
    for (let i = 0; i < clients; i++) next();
  });
}

const spec: InProcessSpec = JSON.parse(process.argv[2] ?? '');
const nodes = await startNodes(spec.kind);
const result = await load(spec, nodes.operate);
await nodes.stop();
process.stdout.write(JSON.stringify(result));
