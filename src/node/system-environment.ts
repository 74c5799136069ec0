/** The one place where a node meets the real clock, timers and chance. */
import { randomBytes } from 'node:crypto';
import type { Environment, LogLevel } from './contract.ts';

const ID_BYTES = 16;

export function systemEnvironment(log: (level: LogLevel, line: string) => void): Environment {
  return {
    now: () => performance.now(),
    setTimer: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
    // The check phase comes after the poll phase, so all sockets that had data were read by then.
    defer: (callback) => {
      setImmediate(callback);
    },
    random: () => Math.random(),
    newId: () => randomBytes(ID_BYTES).toString('hex'),
    log,
  };
}
