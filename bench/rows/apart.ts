/** Measurements of the state machine, each in a process of its own. */
import { fileURLToPath } from 'node:url';
import { runProgram } from '../run-program.ts';
import type { Measurement } from '../registry/measurement.ts';

const HEAP_MIB = 4096;
const PROGRAM = fileURLToPath(new URL('../registry/measurement.js', import.meta.url));

export function measureApart<T>(measurement: Measurement): Promise<T> {
  const nodeArguments = ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`];
  return runProgram<T>(PROGRAM, measurement, { nodeArguments });
}
