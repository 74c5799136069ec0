#!/usr/bin/env node
// A file of the repository, so that npx finds it, executable, whatever became of the build.
import { existsSync } from 'node:fs';

const main = new URL('../dist/jepsen-lite/cli/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error('jepsen-lite: not built yet; run npm run build first');
  process.exitCode = 2;
}
