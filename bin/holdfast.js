#!/usr/bin/env node
// In the clone this file is there, and may be executed, whatever became of the build.
await import('../dist/src/cli/main.js');
