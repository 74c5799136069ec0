/** The commands against one real node, as a user types them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { freePorts } from '../../jepsen-lite/real/process-cluster.ts';
import { createProgram } from '../../src/cli/program.ts';
import { oneNode } from './one-node.ts';
import { runCli, startCli } from './run-cli.ts';

const single = oneNode();
const { holdfast, ok, start } = single;

/** As a user wants it: one line on stderr that matches, nothing on stdout. */
async function refused(code: number, message: RegExp, ...args: string[]): Promise<void> {
  const result = await single.refused(code, message, ...args);
  assert.equal(result.stderr.trim().split('\n').length, 1, `one line: ${result.stderr}`);
  assert.equal(result.stdout, '');
}

/** What the README promises of `status -w json`, in this order. */
const STATUS_FIELDS = [
  'id',
  'endpoint',
  'role',
  'term',
  'leader',
  'commitIndex',
  'appliedIndex',
  'snapshotIndex',
  'lastIndex',
  'revision',
  'store',
  'note',
];

interface LockOutput {
  readonly session: number;
  readonly token: number;
}

test('[CLI-1] put, get, delete: the value alone, and exit 1 when absent', async () => {
  assert.match(await ok('put', 'greeting', 'hello'), /^OK \d+\n$/);
  assert.equal(await ok('get', 'greeting'), 'hello\n');
  await ok('delete', 'greeting');
  await refused(1, /not-found.*greeting/, 'get', 'greeting');
  await refused(1, /not-found/, 'delete', 'greeting');
  await refused(1, /not-found/, 'persist', 'greeting');
});

test('[CLI-2] get -w json prints the whole record and nothing else', async () => {
  await ok('put', 'json/key', 'value', '--ttl', '1h');
  const record: Record<string, unknown> = JSON.parse(await ok('get', 'json/key', '-w', 'json'));
  assert.deepEqual(
    Object.keys(record).toSorted(),
    'createRevision,expiresAt,key,lock,modRevision,node,session,time,ttlMs,value,version'.split(
      ',',
    ),
  );
  assert.equal(record['key'], 'json/key');
  assert.equal(record['value'], 'value');
  assert.equal(record['version'], 1);
  assert.equal(record['session'], null);
  assert.equal(record['lock'], null);
  assert.equal(record['node'], 'a');
  assert.equal(typeof record['expiresAt'], 'number');
  assert.ok(Number(record['ttlMs']) > 0 && Number(record['ttlMs']) <= 3_600_000);
  await ok('persist', 'json/key');
  const persisted: Record<string, unknown> = JSON.parse(await ok('get', 'json/key', '-w', 'json'));
  assert.equal(persisted['expiresAt'], null);
});

test('[CLI-3] list prints keys under a prefix in order, in every format', async () => {
  for (const key of ['list/b', 'list/a', 'listless']) await ok('put', key, `of ${key}`);
  assert.equal(await ok('list', 'list/'), 'list/a\tof list/a\nlist/b\tof list/b\n');
  assert.equal(await ok('list', 'list/', '--limit', '1', '--keys-only'), 'list/a\n');
  const json: { key: string }[] = JSON.parse(await ok('list', 'list/', '-w', 'json'));
  assert.deepEqual(
    json.map((record) => record.key),
    ['list/a', 'list/b'],
  );
  assert.equal(await ok('list', 'nothing/', '-w', 'json'), '[]\n');
  assert.match(await ok('list', 'list/', '-w', 'table'), /^KEY +VALUE[\s\S]+list\/a +of list\/a/);
});

test('[CLI-4] lock, the refusals of others, unlock', async () => {
  const held: LockOutput = JSON.parse(await ok('lock', 'jobs/x', '--ttl', '1m', '-w', 'json'));
  await refused(1, /locked/, 'lock', 'jobs/x', '--try');
  await refused(1, /lock-timeout|locked/, 'lock', 'jobs/x', '--wait', '50ms');
  await refused(1, /locked.*jobs\/x/, 'put', 'jobs/x', 'mine');
  await ok('put', 'jobs/x', 'by the holder', '--session', String(held.session));
  const record: { lock: LockOutput } = JSON.parse(await ok('get', 'jobs/x', '-w', 'json'));
  assert.deepEqual(record.lock, { session: held.session, token: held.token });
  const session = String(held.session);
  await refused(1, /not-held/, 'unlock', 'jobs/x', '--session', session, '--token', '1');
  await ok('unlock', 'jobs/x', '--session', session, '--token', String(held.token));
  const next = await ok('lock', 'jobs/x', '--try', '--ttl', '1m');
  const token = /^session=\d+ token=(\d+)\n$/.exec(next)?.[1];
  assert.ok(Number(token) > held.token, `${next} after ${held.token}`);
});

test('[CLI-5] lock NAME -- command: its output, its exit code, and the token for it', async () => {
  const script = 'test -n "$HOLDFAST_LOCK_TOKEN" && echo "token for $HOLDFAST_LOCK_NAME"; exit 7';
  const result = await start('lock', 'jobs/command', '--', 'sh', '-c', script).result;
  assert.equal(result.code, 7, result.stderr);
  assert.equal(result.stdout, 'token for jobs/command\n');
  const free = await start('lock', 'jobs/command', '--try', '--', 'true').result;
  assert.equal(free.code, 0, 'the lock is free once the command has ended');
  await refused(2, /cannot run/, 'lock', 'jobs/command', '--', 'no-such-program-anywhere');
});

test('[CLI-5] nothing that lock -- command started outlives the lock', async () => {
  // `result` waits for everyone who holds on to stdout, so for the sleepers too.
  const behind = await start('lock', 'jobs/left', '--', 'sh', '-c', 'sleep 60 & echo behind')
    .result;
  assert.deepEqual([behind.code, behind.stdout], [0, 'behind\n']);
  const script = ['sh', '-c', 'echo begun; exec sleep 60'];
  const hungUp = start('lock', 'jobs/hup', '--', ...script);
  await hungUp.printed(/begun/);
  hungUp.kill('SIGHUP');
  assert.equal((await hungUp.result).code, 129, 'as a shell tells of a signal');
});

test('[CLI-5] a command whose lock is lost is killed, and says why', async () => {
  const script = ['sh', '-c', 'echo "session $HOLDFAST_LOCK_SESSION"; exec sleep 60'];
  const running = start('lock', 'jobs/lost', '--', ...script);
  await running.printed(/session \d+/);
  const sessions: { id: number; label: string }[] = JSON.parse(
    await ok('session', 'list', '-w', 'json'),
  );
  const own = sessions.find(({ label }) => label === 'lock jobs/lost');
  await ok('session', 'close', String(own?.id));
  const { code, stderr } = await running.result;
  assert.equal(code, 3, 'nobody knows how far it came');
  assert.match(stderr, /^holdfast: the lock is lost, so the command was killed: .*\n$/);
});

test('[CLI-5] a wait for a lock that is interrupted leaves no place in its queue', async () => {
  await ok('lock', 'jobs/wait', '--ttl', '1m');
  const places = async (): Promise<number> =>
    (await ok('list', 'jobs/wait/', '--keys-only')).trim().split('\n').length;
  for (const command of [[], ['--', 'true']]) {
    const waiting = start('lock', 'jobs/wait', '--ttl', '1m', ...command);
    while ((await places()) < 2);
    waiting.kill('SIGINT');
    const { code, stderr } = await waiting.result;
    assert.equal(code, 130);
    assert.match(stderr, /^holdfast: interrupted by SIGINT before the lock was taken\n$/);
    assert.equal(await places(), 1);
  }
});

test('[CLI-6] closing a session releases its lock', async () => {
  const held: LockOutput = JSON.parse(await ok('lock', 'jobs/s', '--ttl', '1m', '-w', 'json'));
  const sessions: { id: number }[] = JSON.parse(await ok('session', 'list', '-w', 'json'));
  assert.ok(sessions.some((one) => one.id === held.session));
  await ok('session', 'close', String(held.session));
  await ok('lock', 'jobs/s', '--try', '--ttl', '5s');
  await refused(1, /session-expired|not-found/, 'session', 'close', String(held.session));
});

test('[CLI-7] import and export: TSV and JSON lines there and back', async () => {
  const lines = 'imp/a\tone\n{"key":"imp/b","value":{"n":2}}\n\nimp/c\tthree\twith a tab\n';
  const imported = await startCli(['import', '-', '--endpoints', single.endpoint], lines).result;
  assert.equal(imported.code, 0, imported.stderr);
  assert.match(imported.stderr, /3 acknowledged/);
  const exported = await ok('export', 'imp/');
  assert.deepEqual(exported.trim().split('\n'), [
    '{"key":"imp/a","value":"one"}',
    '{"key":"imp/b","value":"{\\"n\\":2}"}',
    '{"key":"imp/c","value":"three\\twith a tab"}',
  ]);
  assert.match(await ok('export', 'imp/a', '--format', 'tsv'), /^imp\/a\tone\n$/);
  await ok('lock', 'imp/a', '--ttl', '1m');
  assert.equal(await ok('export', 'imp/'), exported, 'a place in a queue cannot be imported');
});

test('[CLI-8] a bad line of an import is named, the others are imported, exit 2', async () => {
  const result = await startCli(
    ['import', '-', '--endpoints', single.endpoint],
    'no tab\nbad/ok\tfine\n',
  ).result;
  assert.equal(result.code, 2);
  assert.match(result.stderr, /line 1: no TAB/);
  assert.equal(await ok('get', 'bad/ok'), 'fine\n');
});

test('[CLI-9] watch prints what is committed, from a revision on', async () => {
  const put = /OK (\d+)/.exec(await ok('put', 'watched/a', 'first'))?.[1] ?? '';
  await ok('put', 'watched/b', 'second');
  const out = await ok('watch', 'watched/', '--from', put, '--count', '2');
  const lines = out
    .trim()
    .split('\n')
    .map((line) => line.split('\t').slice(1).join(' '));
  assert.deepEqual(lines, ['PUT watched/a first', 'PUT watched/b second']);
});

test('[CLI-10] status tells of every endpoint, unreachable ones included', async () => {
  await ok('put', 'status', 'says who leads, once one does');
  const [nowhere] = await freePorts(1);
  const both = `${single.endpoint},127.0.0.1:${nowhere}`;
  const { code, stdout } = await runCli(['status', '-w', 'json', '--endpoints', both]);
  assert.equal(code, 0);
  const [node, absent]: Record<string, unknown>[] = JSON.parse(stdout);
  assert.deepEqual(Object.keys(node ?? {}), STATUS_FIELDS);
  assert.equal(node?.['role'], 'leader');
  assert.equal(node['leader'], 'a');
  assert.equal(node['store'], 'memory');
  assert.equal(absent?.['role'], 'unreachable');
  assert.equal(absent['endpoint'], `127.0.0.1:${nowhere}`);
  assert.equal(node['note'], null);
  assert.match(String(absent['note']), /ECONNREFUSED/, 'why');
  const lost = await runCli([
    'status',
    '-w',
    'json',
    '--timeout',
    '1s',
    '--endpoints',
    `127.0.0.1:${nowhere}`,
  ]);
  assert.equal(lost.code, 1);
  const alone: Record<string, unknown>[] = JSON.parse(lost.stdout);
  assert.deepEqual(
    alone.map(({ role }) => role),
    ['unreachable'],
  );
  assert.match(await ok('member', 'list'), /^a\t127\.0\.0\.1:\d+\tvoter\n$/);
});

test('[CLI-11] what the registry refuses as bad input is bad usage', async () => {
  await refused(2, /ttl/, 'put', 'k', 'v', '--ttl', '0s');
  await refused(2, /ttl/, 'put', 'k', 'v', '--ttl', 'soon');
  await refused(2, /key/, 'put', '', 'v');
  await refused(2, /key.*(bytes|long)/i, 'put', 'k'.repeat(100_000), 'v');
  const big = await startCli(
    ['put', 'big', '-', '--endpoints', single.endpoint],
    'x'.repeat(64 << 20),
  ).result;
  assert.equal(big.code, 2, big.stderr);
  assert.match(big.stderr, /value.*bytes/);
  await refused(1, /not-found/, 'get', 'big');
});

test('[CLI-12] bad usage: one line, exit 2', async () => {
  await refused(2, /format 'xml'.*json/, 'get', 'k', '-w', 'xml');
  await refused(2, /missing required argument/, 'put', 'k');
  await refused(2, /unknown command/, 'putt', 'k', 'v');
  await refused(2, /--timeout/, 'get', 'k', '--timeout', 'never');
  await refused(2, /exclude each other/, 'lock', 'k', '--try', '--wait', '1s');
  await refused(2, /--limit/, 'list', '--limit', 'x');
  await refused(2, /cannot read/, 'import', '/nonexistent/file');
  await refused(2, /cannot read/, 'import', '/');
});

interface ErrorOutput {
  readonly error: { readonly code: string; readonly message: string; readonly exitCode: number };
}

/** What a command that fails says with `-w json`. */
async function failing(...args: string[]): Promise<ErrorOutput['error']> {
  const { code, stdout, stderr } = await holdfast(...args, '-w', 'json');
  assert.equal(stdout, '');
  const { error }: ErrorOutput = JSON.parse(stderr);
  assert.equal(error.exitCode, code);
  return error;
}

test('[CLI-14] with -w json what goes wrong is JSON, too', async () => {
  assert.deepEqual(await failing('get', 'nothing/here'), {
    code: 'not-found',
    message: "there is no key 'nothing/here'",
    exitCode: 1,
  });
  assert.deepEqual(await failing('unlock', 'free', '--session', '1', '--token', '1'), {
    code: 'not-held',
    message: 'lock "free": session 1 has no place with token 1; nobody holds it',
    outcome: 'not-applied',
    exitCode: 1,
    advice: 'give the session and token that `holdfast lock` printed',
  });
  const usage = await failing('put', 'k', 'v', '--ttl', 'soon');
  assert.deepEqual([usage.code, usage.exitCode], ['usage', 2]);
  assert.match(usage.message, /--ttl takes a duration .*not 'soon'/);
  const unknown = await failing('get', 'k', '--colour');
  assert.match(unknown.message, /unknown option '--colour'; see holdfast get --help/);
  assert.deepEqual([unknown.code, unknown.exitCode], ['usage', 2]);
});

test('[CLI-15] a key or value stays on one line and moves no cursor', async () => {
  const [key, value] = ['odd/a\nb', 'c\td\u001b[2J\u009b'];
  await ok('put', key, value);
  const shown = 'odd/a\\nb\tc\\td\\x1b[2J\\x9b\n';
  assert.equal(await ok('list', 'odd/'), shown);
  assert.equal(await ok('list', 'odd/', '--keys-only'), 'odd/a\\nb\n');
  const drawn = await ok('list', 'odd/', '-w', 'table');
  assert.match(drawn, /\nodd\/a\\nb +c\\td\\x1b\[2J\\x9b /);
  const { modRevision }: { modRevision: number } = JSON.parse(await ok('get', key, '-w', 'json'));
  const watch = ['watch', 'odd/', '--from', `${modRevision}`, '--count', '1'];
  assert.equal(await ok(...watch), `${modRevision}\tPUT\t${shown}`);
  assert.equal(await ok('get', key), `${value}\n`, 'as it is');
});

test('[CLI-13] help teaches: examples, exit codes, every command', async () => {
  const { code, stdout } = await runCli(['--help']);
  assert.equal(code, 0);
  for (const word of ['Exit codes', 'put', 'lock', 'watch', 'import', 'serve', 'dev', 'status']) {
    assert.match(stdout, new RegExp(word));
  }
});

test('[CLI-13] the help of every command has an example', () => {
  const faults: string[] = [];
  const visit = (command: Command, parents: string): void => {
    const name = `${parents}${command.name()}`;
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    const [, shown = ''] = help.split('\nExamples:\n');
    if (command.commands.length === 0 && !shown.includes(name)) faults.push(name);
    for (const child of command.commands) visit(child, `${name} `);
  };
  const program = createProgram();
  visit(program, '');
  assert.ok(program.commands.length > 10);
  assert.deepEqual(faults, []);
});

test('[CLI-12] what is wrong with a command points to the help of that command', async () => {
  await refused(2, /got 2; see holdfast get --help\n$/, 'get', 'a', 'b');
  await refused(2, /see holdfast member add --help\n$/, 'member', 'add');
});
