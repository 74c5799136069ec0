/** Locks in every mode, their list, and elections, as a user types them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneNode } from './one-node.ts';

const { ok, refused, start } = oneNode();

interface LockJson {
  readonly name: string;
  readonly mode: string;
  readonly held: number;
  readonly waiting: number;
  readonly holders: readonly { session: number; token: number; metadata: string; ageMs: number }[];
}

test('[CLI-50] lock --shared: readers together, writers kept out', async () => {
  await ok('lock', 'cli/shared', '--shared', '--ttl', '1m');
  await ok('lock', 'cli/shared', '--shared', '--try', '--ttl', '1m');
  await refused(1, /locked \(shared\)/, 'lock', 'cli/shared', '--try');
  await refused(1, /locked/, 'put', 'cli/shared', 'v');
});

test('[CLI-51] lock --limit: so many permits, and all must agree', async () => {
  const licences = ['lock', 'cli/permits', '--limit', '3'];
  await ok(...licences, '--permits', '2', '--ttl', '1m');
  await refused(1, /locked/, ...licences, '--permits', '2', '--try');
  await ok(...licences, '--try', '--ttl', '1m');
  await refused(1, /lock-conflict.*holdfast locks/, 'lock', 'cli/permits', '--limit', '4', '--try');
  await refused(2, /--permits needs --limit/, 'lock', 'k', '--permits', '2');
  await refused(2, /--shared and --limit/, 'lock', 'k', '--shared', '--limit', '2');
  await refused(2, /permits must be from 1/, 'lock', 'k', '--limit', '2', '--permits', '3');
});

test('[CLI-52] locks prints what is held as lines, a table, or JSON', async () => {
  await ok('lock', 'list/a', '--ttl', '1m', '--metadata', 'host-7', '--delay', '1s');
  await ok('lock', 'list/b', '--limit', '5', '--permits', '2', '--ttl', '1m');
  const locks: LockJson[] = JSON.parse(await ok('locks', 'list/', '-w', 'json'));
  assert.deepEqual(
    locks.map(({ name, mode, held, waiting }) => [name, mode, held, waiting]),
    [
      ['list/a', 'exclusive', 1, 0],
      ['list/b', 'semaphore', 1, 0],
    ],
  );
  const [holder] = locks[0]!.holders;
  assert.equal(holder?.metadata, 'host-7');
  const table = await ok('locks', 'list/', '-w', 'table');
  assert.match(table, /^NAME +MODE +SESSION +TOKEN +WAITING +AGE +LEFT +METADATA\n/);
  assert.match(
    table,
    new RegExp(`list/a +exclusive +${holder?.session} +${holder?.token} +0 .*host-7`),
  );
  assert.match(table, /list\/b +2 of 5/);
  assert.match(
    await ok('locks', 'list/', '--limit', '1'),
    /^list\/a\texclusive\tsession=\d+\t.*\n$/,
  );
  assert.equal(await ok('locks', 'nothing/'), '');
});

test('[CLI-53] lock-break releases the holder with this token only, and says why', async () => {
  const held: { token: number } = JSON.parse(
    await ok('lock', 'cli/break', '--ttl', '1m', '-w', 'json'),
  );
  const token = String(held.token);
  await refused(1, /not-held/, 'lock-break', 'cli/break', '--token', '1', '--reason', 'wrong');
  await refused(2, /reason/, 'lock-break', 'cli/break', '--token', token);
  assert.equal(
    await ok('lock-break', 'cli/break', '--token', token, '--reason', 'it hangs'),
    'OK\n',
  );
  await ok('lock', 'cli/break', '--try', '--ttl', '1m');
});

test('[CLI-54] elect leads while its command runs; --observe prints who leads', async () => {
  const observer = start('elect', 'cli/office', '--observe');
  const script = 'echo "token $HOLDFAST_LOCK_TOKEN"; exit 7';
  const first = await start('elect', 'cli/office', 'me', '--', 'sh', '-c', script).result;
  assert.equal(first.code, 7, first.stderr);
  assert.match(first.stdout, /^token \d+\n$/);
  const second = start('elect', 'cli/office', 'you');
  await second.printed(/^leading cli\/office session=\d+ token=\d+\n/);
  await refused(1, /locked/, 'elect', 'cli/office', 'third', '--try');
  await observer.printed(/elected\tyou\ttoken=\d+/);
  second.kill('SIGTERM');
  assert.equal((await second.result).code, 0, 'stopped, it resigns');
  await observer.printed(/elected\tyou[^]*vacant/);
  observer.kill('SIGINT');
  const { code, stdout } = await observer.result;
  assert.equal(code, 0);
  assert.match(stdout, /elected\tyou\ttoken=\d+\nvacant\trevision=\d+\n$/);
});

test('[CLI-55] a leader whose lock is broken ends with the reason', async () => {
  const leader = start('elect', 'cli/lost', 'me');
  await leader.printed(/leading/);
  const [lock]: LockJson[] = JSON.parse(await ok('locks', 'cli/lost', '-w', 'json'));
  const token = String(lock?.holders[0]?.token);
  await ok('lock-break', 'cli/lost', '--token', token, '--reason', 'enough');
  const { code, stderr } = await leader.result;
  assert.equal(code, 3);
  assert.match(stderr, /the leadership is lost/);
  await refused(2, /needs a value/, 'elect', 'cli/lost');
  await refused(2, /not both/, 'elect', 'cli/lost', 'me', '--observe');
});
