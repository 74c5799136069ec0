/** Runs an example as its reader would, in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ExampleRun {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

/** The tests run with the tree's root as working directory. */
export async function runExample(args: readonly string[], port = 0): Promise<ExampleRun> {
  // An example that is a test file itself is no part of this run of tests.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  // Some leave files behind for their reader, such as a run that failed.
  const temporary = await mkdtemp(join(tmpdir(), 'holdfast-example-'));
  const child = spawn(process.execPath, ['examples/run.mjs', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment, PORT: String(port), TMPDIR: temporary },
  });
  const [output, errors, [code]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  await rm(temporary, { recursive: true, force: true });
  return { code, lines: output.trim().split('\n'), errors };
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  return text;
}

/** The first of three ports in a row that are free, below those the system gives out. */
export async function threeFreePorts(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const first = 12_000 + Math.floor(Math.random() * 18_000);
    const ports = [first, first + 1, first + 2];
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first;
  }
  throw new Error('no three free ports in a row');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
