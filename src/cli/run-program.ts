/** Runs a command line: its arguments, its complaints, its exit code. */
import { CommanderError, type Command } from 'commander';
import { EXIT, errorJson, errorLine, exitCodeOf, usageJson } from './exit.ts';

export interface RunOptions {
  /** What follows the program's name; by default what this process was started with. */
  readonly args?: readonly string[];
  /** The exit code of what a command threw. */
  readonly codeOf?: (error: unknown) => number;
}

/**
 * Runs what the arguments ask for and resolves to the exit code. Every complaint is one line on
 * stderr: it begins with the program's name, or is JSON where results are.
 */
export async function runProgram(program: Command, options: RunOptions = {}): Promise<number> {
  const { args = process.argv.slice(2), codeOf = exitCodeOf } = options;
  endWithReader(process.stdout);
  endWithReader(process.stderr);
  throwInsteadOfExit(program);
  complainInOneLine(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    // Commander has printed its own message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    report(program, error, codeOf(error));
    return codeOf(error);
  }
}

function report(program: Command, error: unknown, exitCode: number): void {
  if (printsJson(program)) {
    const json = errorJson(error, exitCode);
    if (json !== undefined) process.stderr.write(`${json}\n`);
    return;
  }
  const line = errorLine(error);
  if (line !== '')
    process.stderr.write(`${program.name()}: ${line.replaceAll(/\s*\n\s*/g, ' ')}\n`);
}

/** Whether results, and so errors, were asked for as JSON. */
function printsJson(program: Command): boolean {
  return program.opts<{ writeOut?: string }>().writeOut === 'json';
}

/** Makes every command throw instead of exiting, so that one place decides the exit code. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) throwInsteadOfExit(child);
}

/** Ends quietly when whoever reads our output has gone (`holdfast list | head`). */
function endWithReader(stream: NodeJS.WriteStream): void {
  if (!stream.listeners('error').includes(endOnBrokenPipe)) stream.on('error', endOnBrokenPipe);
}

function endOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
}

/** Commander's own complaints as one line that says where to look. */
function oneLine(text: string, command: string): string {
  const complaint = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .replaceAll(/\s*\n\s*/g, ' ');
  return `${complaint}; see ${command} --help`;
}

function complainInOneLine(program: Command, command = program, parents = ''): void {
  const name = `${parents}${command.name()}`;
  command.configureOutput({
    outputError: (text, write) => {
      const line = oneLine(text, name);
      write(printsJson(program) ? `${usageJson(line)}\n` : `${program.name()}: ${line}\n`);
    },
  });
  for (const child of command.commands) complainInOneLine(program, child, `${name} `);
}
