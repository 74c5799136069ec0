/**
 * Loaded into a node's process (`--import`): on SIGUSR2 it says, in a line of the log, how long the
 * event loop stood still at most since it was asked last, in ms.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 1;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();

process.on('SIGUSR2', () => {
  const longestMs = delays.max / 1e6 - RESOLUTION_MS;
  delays.reset();
  process.stdout.write(`bench-stall ${Math.max(0, longestMs).toFixed(3)}\n`);
});
