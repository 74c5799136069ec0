/**
 * Runs every test of the tree, or those whose path contains one of the arguments:
 * `node test/run.mjs raft registry`. The list comes from the sources, so a stale compiled test never runs.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';

const roots = ['test', 'jepsen-lite'];
const wanted = process.argv.slice(2);
/** One for each of two cores, and one for when others wait for a disk, a timer or an election. */
const PROCESSES = 3;
/** What takes longest begins first, or one process would work alone at the end. */
const FIRST = ['process', 'examples', 'jepsen-lite', 'log-store', 'node', 'cli', 'embed'];
/** Tests of these areas leave nothing behind in their process, so that files can share one. */
const SHARING = [
  'base',
  'client',
  'embed',
  'jepsen-lite',
  'node',
  'raft',
  'registry',
  'server',
  'transport',
];
const FILES_PER_PROCESS = 8;
/** A file's hooks are for its own tests, and so is a heap that it measures. */
const ALONE = /^(before|after|beforeEach|afterEach)\(|--expose-gc/m;
/** The tests that are still to come would not be missed. */
const NO_EXIT = `process.exit = () => {
  throw new Error('a test must not end the process it shares with others');
};
`;

function* testFiles(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* testFiles(path);
    else if (entry.name.endsWith('.test.ts')) yield path;
  }
}

const compiled = (path) => resolve('dist', path.replace(/\.ts$/, '.js'));
const areaOf = (path) => path.split('/')[1];

function alone(path) {
  return !SHARING.includes(areaOf(path)) || ALONE.test(readFileSync(path, 'utf8'));
}

function rank([path]) {
  const place = FIRST.indexOf(areaOf(path));
  return place === -1 ? FIRST.length : place;
}

/** Groups of files, each for a process: starting one takes longer than most files' tests. */
function planned(paths) {
  const groups = paths.filter(alone).map((path) => [path]);
  for (const area of SHARING) {
    const files = paths.filter((path) => areaOf(path) === area && !alone(path));
    const count = Math.ceil(files.length / FILES_PER_PROCESS);
    for (let i = 0; i < count; i++) groups.push(files.filter((_, at) => at % count === i));
  }
  return groups.toSorted((one, other) => rank(one) - rank(other));
}

/** The module to start for a group: its only file, or one that imports them all. */
function entryOf(paths, number) {
  if (paths.length === 1) return compiled(paths[0]);
  const entry = join(directory, `${areaOf(paths[0])}-${number}.mjs`);
  const imports = paths.map((path) => `import '${pathToFileURL(compiled(path))}';\n`);
  writeFileSync(entry, NO_EXIT + imports.join(''));
  return entry;
}

const here = new Set(readdirSync('.'));
const paths = roots
  .filter((root) => here.has(root))
  .flatMap((root) => [...testFiles(root)])
  .filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part)));
if (paths.length === 0) {
  console.error(`no test file matches: ${wanted.join(' ')}`);
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    process.exitCode = 1;
    abort.abort();
  });
}
// The runner starts its processes with the options of this one.
process.execArgv.push('--enable-source-maps');
const files = planned(paths).map(entryOf);
run({ files, concurrency: PROCESSES, signal: abort.signal })
  .on('test:fail', () => (process.exitCode = 1))
  .compose(new spec())
  .pipe(process.stdout);
