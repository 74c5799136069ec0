/**
 * Runs every test of the tree, or those whose path contains one of the arguments:
 * `node test/run.mjs raft registry`. The list comes from the sources, so a stale compiled test never runs.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const roots = ['test', 'jepsen-lite'];
const wanted = process.argv.slice(2);

function* testFiles(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* testFiles(path);
    else if (entry.name.endsWith('.test.ts')) yield path;
  }
}

const here = new Set(readdirSync('.'));
const files = roots
  .filter((root) => here.has(root))
  .flatMap((root) => [...testFiles(root)])
  .filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part)))
  .map((path) => join('dist', path.replace(/\.ts$/, '.js')));

if (files.length === 0) {
  console.error(`no test file matches: ${wanted.join(' ')}`);
  process.exit(2);
}
const runner = ['--test', '--test-concurrency=2', '--test-reporter=spec', ...files];
const child = spawn(process.execPath, ['--enable-source-maps', ...runner], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal === null ? code : 1));
