#!/usr/bin/env node
import { CommanderError, type Command } from 'commander';
import { EXIT, errorJson, errorLine, exitCodeOf } from './exit.ts';
import { createProgram, printsJson } from './program.ts';

/** Makes every command throw instead of exiting, so that one place decides the exit code. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) throwInsteadOfExit(child);
}

/** Ends quietly when whoever reads our output has gone (`holdfast list | head`). */
function endWithReader(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
}

function report(error: unknown, asJson: boolean): void {
  if (asJson) {
    const json = errorJson(error);
    if (json !== undefined) process.stderr.write(`${json}\n`);
    return;
  }
  const line = errorLine(error);
  if (line !== '') process.stderr.write(`holdfast: ${line}\n`);
}

async function main(): Promise<number> {
  endWithReader(process.stdout);
  endWithReader(process.stderr);
  const program = createProgram();
  throwInsteadOfExit(program);
  try {
    await program.parseAsync();
    return EXIT.ok;
  } catch (error) {
    // Commander has printed its own message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    report(error, printsJson(program));
    return exitCodeOf(error);
  }
}

process.exitCode = await main();
// `dev` listens to its nodes and they to it: that must not keep alive a node that failed to start.
if (process.connected) process.disconnect();
