#!/usr/bin/env node
import { runProgram } from '../../src/cli/run-program.ts';
import { codeOfError } from './exit.ts';
import { createProgram } from './program.ts';

process.exitCode = await runProgram(createProgram(), codeOfError);
