/** Tables as a user types them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneNode } from './one-node.ts';

const { ok, refused, start } = oneNode();

/** A session that outlives the tests. */
async function openSession(...flags: string[]): Promise<string> {
  return (await ok('session', 'open', '--ttl', '10m', ...flags)).trim();
}

test('[CLI-80] table store, find, list and erase: an entry where none is', async () => {
  await refused(1, /no-such-table.*holdfast table open/, 'table', 'store', 'jobs', 'k', 'v');
  assert.equal(await ok('table', 'open', 'jobs'), 'OK\n');
  assert.equal(await ok('table', 'open', 'jobs'), 'OK (it was open)\n');
  assert.match(await ok('table', 'store', 'jobs', 'b', 'one'), /^OK \d+\n$/);
  const again = await refused(1, /has an entry 'b' already/, 'table', 'store', 'jobs', 'b', 'two');
  assert.equal(again.stdout, 'one\n', 'what is there instead');
  await ok('table', 'store', 'jobs', 'a', 'two');
  assert.equal(await ok('table', 'find', 'jobs', 'b'), 'one\n');
  await refused(1, /not-found.*no entry 'c'/, 'table', 'find', 'jobs', 'c');
  assert.equal(await ok('table', 'entries', 'jobs'), 'a\ttwo\nb\tone\n');
  const listed: { key: string; value: string }[] = JSON.parse(
    await ok('table', 'entries', 'jobs', 'b', '-w', 'json'),
  );
  assert.deepEqual(
    listed.map(({ key, value }) => [key, value]),
    [['b', 'one']],
  );
  assert.equal(await ok('table', 'erase', 'jobs', 'b'), 'OK\n');
  assert.equal(await ok('table', 'drop', 'jobs'), 'OK\n');
  await refused(1, /no-such-table/, 'table', 'entries', 'jobs');
});

test('[CLI-81] table connect, disconnect and notices: each told once', async () => {
  const session = await openSession('--trap-exits');
  await ok('table', 'open', 'edges');
  const edge = ['--connect', 'link', '--peer', session, '-w', 'json'];
  const stored = await ok('table', 'store', 'edges', 'k', 'v', ...edge);
  const { connection }: { connection: number } = JSON.parse(stored);
  const monitor = (await ok('table', 'connect', 'edges', 'monitor', session, 'k')).trim();
  const more = (await ok('table', 'connect', 'edges', 'monitor', session, 'k')).trim();
  assert.equal(await ok('table', 'disconnect', 'edges', session, 'k', more), `${more}\n`);
  const noticing = start('table', 'notices', '--session', session, '--count', '2');
  await ok('table', 'erase', 'edges', 'k', '--session', session);
  const { code, stdout } = await noticing.result;
  assert.equal(code, 0);
  const why = `erased by session ${session}`;
  assert.equal(
    stdout,
    `edges\tk\texit\t${why}\tconnection=${connection}\n` +
      `edges\tk\tdown\t${why}\tconnection=${monitor}\n`,
  );
  const id = Number(await ok('table', 'connect', 'edges', 'forward_link', session, 'k'));
  const next = await ok('table', 'notices', '--session', session, '--count', '1', '-w', 'json');
  const { revision, ...rest } = JSON.parse(next) as { revision: number };
  assert.ok(revision > 0);
  assert.deepEqual(rest, {
    type: 'exit',
    table: 'edges',
    key: 'k',
    edge: 'forward_link',
    peer: Number(session),
    connection: id,
    reason: { type: 'noentry' },
  });
  const none = await ok('table', 'disconnect', 'edges', session, 'k', '-w', 'json');
  assert.equal(none, '{"disconnected":[]}\n');
});

test('[CLI-84] table list tells of every table, and which session it goes with', async () => {
  await ok('table', 'open', 'listed/b');
  const session = await openSession();
  await ok('table', 'open', 'listed/a', '--link', '--session', session);
  await ok('table', 'store', 'listed/b', 'k', 'v');
  const lines = (await ok('table', 'list'))
    .split('\n')
    .filter((line) => line.startsWith('listed/'));
  const [linked, other] = lines.map((line) => line.split('\t'));
  assert.deepEqual([linked?.[0], linked?.[2]], ['listed/a', `session=${session}`]);
  assert.deepEqual([other?.[0], other?.length, lines.length], ['listed/b', 2, 2]);
  const all: { name: string; session: number | null; createRevision: number }[] = JSON.parse(
    await ok('table', 'list', '-w', 'json'),
  );
  const [one, two] = all.filter(({ name }) => name.startsWith('listed/'));
  assert.equal(one?.session, Number(session));
  assert.equal(two?.session, null);
  assert.equal(`revision=${two.createRevision}`, other?.[1]);
  assert.ok(one.createRevision > two.createRevision, 'opened later');
  await ok('session', 'close', session);
  assert.match(await ok('table', 'list', '-w', 'table'), /NAME +SESSION +REVISION/);
  assert.doesNotMatch(await ok('table', 'list'), /listed\/a/);
});

test('[CLI-82] a linked table and a session that does not trap exits go', async () => {
  const session = await openSession();
  await ok('table', 'open', 'linked', '--link', '--session', session);
  await ok('table', 'store', 'linked', 'k', 'v', '--connect', 'link', '--peer', session);
  await ok('table', 'erase', 'linked', 'k');
  await refused(1, /no-such-table/, 'table', 'find', 'linked', 'k');
  await refused(1, /session-expired/, 'table', 'notices', '--session', session);
});

test('[CLI-83] what does not go together is bad usage, with the rule', async () => {
  await ok('table', 'open', 'usage');
  await refused(2, /--link needs --session/, 'table', 'open', 'usage', '--link');
  await refused(2, /--connect and --peer/, 'table', 'store', 'usage', 'k', 'v', '--peer', '1');
  await refused(2, /link, forward_link/, 'table', 'connect', 'usage', 'friend', '1', 'k');
  await refused(2, /--session/, 'table', 'notices');
  assert.match(await ok('table', 'connect', '--help'), /backward_link[^]*Examples:/);
});
