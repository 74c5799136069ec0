/** `holdfast dev`: a cluster of processes that come and go with it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePorts } from '../../jepsen-lite/real/process-cluster.ts';
import { runCli, startCli, type RunningCli } from './run-cli.ts';

async function startDev(): Promise<{ dev: RunningCli; port: string }> {
  const [port] = await freePorts(1);
  const args = ['dev', '--nodes', '1', '--store', 'memory', '--port', String(port)];
  const dev = startCli(args);
  await dev.printed(/The cluster is ready/);
  return { dev, port: String(port) };
}

/** Until nobody listens there any more. */
async function untilGone(port: string): Promise<void> {
  const endpoint = `127.0.0.1:${port}`;
  for (;;) {
    const asked = ['get', 'k', '--consistency', 'local', '--timeout', '200ms'];
    const { stderr } = await runCli([...asked, '--endpoints', endpoint]);
    if (/ECONNREFUSED/.test(stderr)) return;
  }
}

test('[CLI-25] a second dev on the same port says why it cannot, and ends', async () => {
  const { dev, port } = await startDev();
  const args = ['dev', '--nodes', '1', '--store', 'memory', '--port', port];
  const second = await runCli(args);
  dev.kill('SIGINT');
  assert.equal((await dev.result).code, 0);
  assert.equal(second.code, 1, second.stdout);
  assert.equal(second.stdout, '', 'nothing was started');
  assert.match(second.stderr, /^holdfast: address-in-use: .*another 'holdfast dev'.*--port.*\n$/);
  await untilGone(port);
});

test('the nodes of a dev that is killed end too', async () => {
  const { dev, port } = await startDev();
  dev.kill('SIGKILL');
  await untilGone(port);
});
