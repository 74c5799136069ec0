#!/usr/bin/env node
import { runProgram } from '../../src/cli/run-program.ts';
import { codeOfError } from './exit.ts';
import { createProgram } from './program.ts';

process.exitCode = await runProgram(await createProgram(process.argv.slice(2)), {
  codeOf: codeOfError,
});
// Whatever was interrupted may still be going on; all that was printed is to be out first.
process.stdout.write('', () => process.exit());
