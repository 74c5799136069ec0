/** Planted bugs: that each can be planted, and that `jepsen-lite mutants` tells what came of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SITUATIONS } from '../../jepsen-lite/simulation/sometimes.ts';
import { mutants } from '../../jepsen-lite/mutants/index.ts';
import { killPage } from '../../jepsen-lite/mutants/kill-page.ts';
import { summaryOf } from '../../jepsen-lite/mutants/kill-table.ts';
import { parseMutants } from '../../jepsen-lite/mutants/mutant-file.ts';
import type { MutantResult } from '../../jepsen-lite/mutants/outcome.ts';
import { plant, PlantingError, withEdit } from '../../jepsen-lite/mutants/planting.ts';
import { workloads } from '../../jepsen-lite/workloads/index.ts';
import { runJepsenLite } from './support/run-jepsen-lite.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-mutants-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Says which of the sources on its standard input are no modules. */
const PARSE = `
import { readFileSync } from 'node:fs';
import { SourceTextModule } from 'node:vm';
for (const { id, source } of JSON.parse(readFileSync(0, 'utf8'))) {
  try { new SourceTextModule(source); } catch (error) { console.log(id + ': ' + error.message); }
}`;

function mutantFile(name: string, ...content: readonly unknown[]): string {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

test('[KIT-7] every mutant can be planted in this build, and what comes of it parses', async () => {
  const sources: { readonly id: string; readonly source: string }[] = [];
  for (const mutant of mutants) {
    const planted = Object.values(await plant(mutant));
    for (const source of planted) sources.push({ id: mutant.id, source });
  }
  const flags = ['--no-warnings', '--experimental-vm-modules', '--input-type=module'];
  const input = JSON.stringify(sources);
  const { stdout, status } = spawnSync(process.execPath, [...flags, '-e', PARSE], { input });
  assert.equal(stdout.toString(), '');
  assert.equal(status, 0);
});

test('[KIT-7] mutants 1 to 40 are there, each once, with what they need', () => {
  const ids = mutants.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const missing = Array.from({ length: 40 }, (_, i) => String(i + 1)).filter(
    (id) => !ids.includes(id),
  );
  assert.deepEqual(missing, []);
  for (const { id, workload, noticedBy } of mutants) {
    assert.ok(workload === undefined || Object.hasOwn(workloads, workload), id);
    if (noticedBy?.type !== 'situation') continue;
    assert.ok(Object.hasOwn(SITUATIONS, noticedBy.name), `${id}: ${noticedBy.name}`);
  }
});

test('[KIT-7] a text that does not occur exactly once is refused', () => {
  const edit = { file: 'src/x.js', text: 'a', replacement: 'b' };
  assert.equal(withEdit('cat', edit), 'cbt');
  assert.throws(() => withEdit('banana', edit), {
    name: PlantingError.name,
    message: 'its text occurs 3 times in src/x.js, not once: a',
  });
  assert.throws(() => withEdit('', edit), /occurs 0 times/);
});

test('[KIT-7] files of mutants are refused by the rule they break', () => {
  const mutant = { id: 'x', breaks: 'all', file: 'src/x.js', text: 'a', replacement: '' };
  assert.deepEqual(parseMutants(JSON.stringify([mutant])), [mutant]);
  assert.throws(() => parseMutants('{}'), /^MutantFileError: the file: /);
  assert.throws(() => parseMutants('[]'), /^MutantFileError: the file: /);
  assert.throws(() => parseMutants(JSON.stringify([{ ...mutant, text: '' }])), /0\.text: /);
  assert.throws(() => parseMutants(JSON.stringify([mutant, mutant])), /two mutants have the id x/);
});

test('[KIT-8] mutants finds a bug, with exit code 0', async () => {
  const file = mutantFile('found.json', {
    id: 'early-vote',
    breaks: 'a vote is answered before it is durable',
    file: 'src/raft/elections.js',
    text: "core.out.sendAfterPersist.push({\n        type: 'voteResponse',",
    replacement: "core.out.sendNow.push({\n        type: 'voteResponse',",
    workload: 'register',
    nodes: 3,
  });
  const options = ['--file', file, '--time', '1s', '--no-shrink', '-w', 'json'];
  const { code, stdout, stderr } = await runJepsenLite('mutants', ...options);
  const [result, summary] = stdout.split('\n').map((line) => JSON.parse(line || 'null'));
  assert.equal(result?.outcome?.check, 'vote-durable', stderr);
  assert.equal(summary.killed, 1);
  assert.equal(code, 0);
});

test('[KIT-8] bugs that every run shows are found in no time', async () => {
  const options = ['--only', '5,20,29', '--time', '1s', '--no-shrink', '-w', 'json'];
  const { code, stdout, stderr } = await runJepsenLite('mutants', ...options);
  const lines = stdout.trim().split('\n');
  const found = lines.map((line) => JSON.parse(line)?.outcome?.check).slice(0, -1);
  assert.deepEqual(found, ['election-quorum', 'vote-durable', 'state-equal'], stderr);
  assert.equal(code, 0);
});

test('[KIT-8] mutants tells of a change that nothing shows, with exit code 1', async () => {
  const file = mutantFile('survives.json', {
    id: 'harmless',
    breaks: 'nothing',
    file: 'src/raft/elections.js',
    text: '/** Everyone else whose vote counts, once each. */',
    replacement: '',
    workload: 'register',
    nodes: 1,
  });
  const options = ['--file', file, '--time', '1s', '--budget', '1ms'];
  const { code, stdout } = await runJepsenLite('mutants', ...options);
  assert.match(stdout, /^harmless: nothing: SURVIVED after 1 seed,/);
  assert.match(stdout, /\n0 killed, 1 survived, 0 skipped\n$/);
  assert.equal(code, 1);
});

test('[KIT-8] what fails without the bug, too, has not found it', async () => {
  const text = 'const agreement = ';
  const watch = { file: 'jepsen-lite/checkers/watch.js', text, replacement: text };
  // It fails for want of a command.
  const noticedBy = { type: 'tests', files: ['jepsen-lite/cli/main.js'] };
  const file = mutantFile('unsound.json', { id: 'none', breaks: 'nothing', ...watch, noticedBy });
  const { code, stdout } = await runJepsenLite('mutants', '--file', file);
  assert.match(stdout, /^none: nothing: skipped: jepsen-lite\/cli\/main\.js fails without it, too/);
  assert.equal(code, 0);
});

test('[KIT-8] mutants refuses with exit code 2 what it cannot plant', async () => {
  const file = mutantFile('stale.json', {
    id: 'stale',
    breaks: 'nothing',
    file: 'src/raft/quorum.js',
    text: 'no such text',
    replacement: '',
  });
  const { code, stderr } = await runJepsenLite('mutants', '--file', file);
  assert.match(stderr, /mutant stale: its text occurs 0 times in src\/raft\/quorum\.js, not once/);
  assert.equal(code, 2);
  const unknown = await runJepsenLite('mutants', '--only', 'nobody');
  assert.equal(unknown.code, 2);
});

test('[KIT-8] a page of what came of mutants says what is missing, too', () => {
  const cost = { seeds: 3, simulatedMs: 42_000, cpuMs: 2_000, wallMs: 5_000 };
  const small = { faults: 1, operations: 2, nodes: 3 };
  const run = { seed: 3, workload: 'register', faults: 40, operations: 500, small };
  const named = { breaks: 'a rule', file: 'src/x.js', noticedBy: 'violation' } as const;
  const tested = { ...named, noticedBy: 'tests' } as const;
  const byTests = { ...cost, seeds: 0, simulatedMs: 0 };
  const results: MutantResult[] = [
    { ...named, id: '1', outcome: { type: 'killed', check: 'fence', message: '', ...cost, run } },
    { ...named, id: '2', outcome: { type: 'survived', ...cost } },
    { ...named, id: '3', outcome: { type: 'skipped', why: 'no tests' } },
    {
      ...tested,
      id: 'set:once',
      outcome: { type: 'killed', check: 'tests', message: '', ...byTests },
    },
    { ...tested, id: 'set:inTime', outcome: { type: 'survived', ...byTests } },
  ];
  assert.deepEqual(summaryOf(results), {
    killed: 2,
    survived: 2,
    skipped: 1,
    medianCpuMs: 2_000,
    medianWallMs: 5_000,
    medianFaults: 1,
    medianOperations: 2,
  });
  const page = killPage(results, { date: '2026-01-31', machine: 'one core', command: 'it' });
  const lines = page.split('\n');
  assert.ok(lines.includes('| `1` | a rule | fence | 3 | 42.0 | 2.0 | 5.0 | 1 | 2 | 3 |'), page);
  assert.ok(lines.includes('| `2` | a rule | **survived** | 3 | 42.0 | 2.0 | 5.0 |  |  |  |'));
  assert.ok(lines.includes('| `set` | 1 of 2 | set:inTime | 10.0 |'));
  assert.match(page, /1 killed, 1 survived, 1 skipped; median 2\.0 s of one core, 5\.0 s on the/);
  assert.match(page, /written by\n`it` on 2026-01-31 \(one core\)/);
});
