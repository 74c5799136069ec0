/** One node in memory that the tests of a file share, and the command line aimed at it. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { freePorts } from '../../jepsen-lite/real/process-cluster.ts';
import { runCli, startCli, type CliResult, type RunningCli } from './run-cli.ts';

export interface OneNode {
  /** Known once the tests run. */
  readonly endpoint: string;
  /** The command under way in a process of its own, for those that wait, run on or start others. */
  readonly start: (...args: string[]) => RunningCli;
  readonly holdfast: (...args: string[]) => Promise<CliResult>;
  /** What a command printed that must succeed. */
  readonly ok: (...args: string[]) => Promise<string>;
  /** Runs a command that must end with this code and say this on stderr. */
  readonly refused: (code: number, message: RegExp, ...args: string[]) => Promise<CliResult>;
}

/** Starts the node before the file's tests and stops it after them. */
export function oneNode(): OneNode {
  let endpoint = '';
  let server: RunningCli;
  before(async () => {
    const [port] = await freePorts(1);
    endpoint = `127.0.0.1:${port}`;
    server = startCli(['serve', '--id', 'a', '--listen', endpoint, '--store', 'memory']);
    await server.printed(/a serves/);
  });
  after(async () => {
    server.kill('SIGTERM');
    assert.equal((await server.result).code, 0, 'a node told to stop exits 0');
  });
  const start = (...[verb = '', ...rest]: string[]): RunningCli =>
    startCli([verb, '--endpoints', endpoint, ...rest]);
  const holdfast = (...[verb = '', ...rest]: string[]): Promise<CliResult> =>
    runCli([verb, '--endpoints', endpoint, ...rest]);
  return {
    get endpoint(): string {
      return endpoint;
    },
    start,
    holdfast,
    ok: async (...args) => {
      const { code, stdout, stderr } = await holdfast(...args);
      assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
      return stdout;
    },
    refused: async (code, message, ...args) => {
      const result = await holdfast(...args);
      assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
      assert.match(result.stderr, message);
      return result;
    },
  };
}
