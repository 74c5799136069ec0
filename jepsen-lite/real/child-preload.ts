/**
 * Loaded into a node's process before anything else (`--import`): puts a clock and timers of its
 * own in the place of the platform's, so that another process can have them run wrong.
 */
import { unreachable } from '../../src/base/index.ts';
import type { ChildCommand } from './child-command.ts';

const platformNow = performance.now.bind(performance);
const platformTimeout = globalThis.setTimeout;

let rate = 1;
/** What was shown at the platform's `sinceMs`; the rate has not changed since. */
let shownMs = platformNow();
let sinceMs = shownMs;

function now(): number {
  return shownMs + (platformNow() - sinceMs) * rate;
}

function begin(fromMs: number, newRate: number): void {
  shownMs = fromMs;
  sinceMs = platformNow();
  rate = newRate;
}

function obey(command: ChildCommand): void {
  switch (command.type) {
    case 'clockRate':
      begin(now(), command.rate);
      return;
    case 'clockJump':
      begin(now() + command.byMs, rate);
      return;
    case 'stall':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, command.forMs);
      return;
    default:
      unreachable(command);
  }
}

function setTimeoutAtRate(
  callback: (...given: unknown[]) => void,
  delayMs = 0,
  ...given: unknown[]
): NodeJS.Timeout {
  return platformTimeout(callback, delayMs / rate, ...given);
}

Object.defineProperty(performance, 'now', { value: now });
Object.defineProperty(globalThis, 'setTimeout', { value: setTimeoutAtRate });
process.on('message', obey);
