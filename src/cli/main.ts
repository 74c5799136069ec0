#!/usr/bin/env node
import { createProgram } from './program.ts';
import { runProgram } from './run-program.ts';

process.exitCode = await runProgram(createProgram());
// `dev` listens to its nodes and they to it: that must not keep alive a node that failed to start.
if (process.connected) process.disconnect();
