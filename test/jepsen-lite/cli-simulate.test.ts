/** `jepsen-lite simulate` and `replay`: what they print, save, and exit with. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { saveFailingRun } from '../../jepsen-lite/cli/failing-run.ts';
import { drawConfiguration } from '../../jepsen-lite/simulation/configuration.ts';
import { formatReplay, parseReplay } from '../../jepsen-lite/simulation/replay-file.ts';
import { runSimulation, type SimulationResult } from '../../jepsen-lite/simulation/run.ts';
import { runJepsenLite } from './support/run-jepsen-lite.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-simulate-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const SHORT = ['--time', '2s', '--workload', 'register', '--nodes', '3'] as const;

/** Messages take longer than elections wait: nobody ever leads. */
function hopeless(): Promise<SimulationResult> {
  const drawn = drawConfiguration(1, { nodes: 3, faultsMs: 1_000, workload: 'register' });
  const network = { minLatencyMs: 20_000, maxLatencyMs: 30_000 };
  return runSimulation({ seed: 1, configuration: { ...drawn, network } });
}

test('[KIT-4] simulate runs each seed, twice if told to, and says what was done', async () => {
  const { code, stdout } = await runJepsenLite('simulate', '--seeds', '5..6', '--twice', ...SHORT);
  assert.match(stdout, /^2 runs: 2 passed, 0 with a violation, 0 unknown\n/);
  assert.match(stdout, /\d+ operations under \d+ faults?; \d+ s of the clusters' time in /);
  assert.match(stdout, / s, \d+(\.\d)? times as fast as real time\n/);
  assert.match(stdout, /\n2 runs made again, to compare each step\n/);
  assert.match(stdout, /\nnever happened, so not tested: two leaders of different terms were /);
  assert.equal(code, 0);
});

test('[KIT-4] the json of simulate is a line for each run and one for all', async () => {
  const args = ['simulate', '--seeds', '5..6', ...SHORT, '-w', 'json'] as const;
  const { code, stdout } = await runJepsenLite(...args);
  const lines = stdout.trim().split('\n');
  const parsed = lines.map((line): Record<string, unknown> => JSON.parse(line));
  const [first, second, summary] = parsed;
  assert.deepEqual([first?.['type'], first?.['seed'], first?.['outcome']], ['run', 5, 'passed']);
  assert.equal(second?.['seed'], 6);
  assert.deepEqual([summary?.['type'], summary?.['runs'], summary?.['passed']], ['summary', 2, 2]);
  assert.equal(code, 0);
  const replayed = await runJepsenLite('replay', '--seed', '5', ...SHORT, '-w', 'json');
  const again: Record<string, unknown> = JSON.parse(replayed.stdout);
  assert.equal(again['traceHash'], first?.['traceHash']);
});

test('[KIT-4] a run with a violation is saved small, and replays to the same', async () => {
  const failing = await hopeless();
  assert.equal(failing.record.violation?.check, 'liveness');
  const { path } = await saveFailingRun(failing, { directory, shrinkMs: 60_000 });
  const saved = parseReplay(readFileSync(path, 'utf8'));
  assert.equal(saved.faults.length, 0);
  assert.equal(saved.configuration.nodes, 1);
  const { code, stdout } = await runJepsenLite('replay', path);
  assert.match(stdout, /\nseed \d+, register: violation of liveness: .*\n$/);
  assert.equal(code, 1);
});

test('[KIT-4] a saved run that comes out otherwise today says so', async () => {
  const { schedule, record } = await hopeless();
  const path = join(directory, 'other.json');
  const { message } = record.violation!;
  writeFileSync(path, formatReplay(schedule, { check: 'liveness', message, traceHash: 'other' }));
  const { code, stdout } = await runJepsenLite('replay', path);
  assert.match(stdout, /\nNot the run that was saved: /);
  assert.equal(code, 1);
});

test('[KIT-1] what simulate and replay cannot do is told in one line, exit code 2', async () => {
  const file = join(directory, 'broken.json');
  writeFileSync(file, '{"version": 1}');
  const refused: readonly (readonly [RegExp, readonly string[]])[] = [
    [/--seeds: a seed or a range of seeds such as 1\.\.200, not '9\.\.1'/, ['--seeds', '9..1']],
    [/--workload takes one of .*register.*, not 'x'/, ['--workload', 'x']],
    [/--nodes takes up to 9, not 10/, ['--nodes', '10']],
    [/--twice takes a share of the seeds, such as 5%, not 'half'/, ['--twice', 'half']],
    [/--time takes a duration from .*, not 'soon'/, ['--time', 'soon']],
    [/--jobs takes a whole number above zero, not '0'/, ['--jobs', '0']],
  ];
  const results = await Promise.all([
    ...refused.map(([, args]) => runJepsenLite('simulate', ...args)),
    runJepsenLite('replay', file),
    runJepsenLite('replay'),
  ]);
  const patterns = [
    ...refused.map(([pattern]) => pattern),
    /broken\.json: seed: /,
    /replay takes a file, or a seed with --seed/,
  ];
  results.forEach(({ code, stderr }, i) => {
    assert.match(stderr, patterns[i]!);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
    assert.equal(code, 2);
  });
});
