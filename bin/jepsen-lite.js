#!/usr/bin/env node
// In the clone this file is there, and may be executed, whatever became of the build.
await import('../dist/jepsen-lite/cli/main.js');
