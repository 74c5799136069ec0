/** Runs a command line: its arguments, its complaints, its exit code. */
import { CommanderError, type Command } from 'commander';
import { EXIT, errorLine, exitCodeOf } from './exit.ts';

/**
 * Runs what the process's arguments ask for and resolves to the exit code. Every complaint is one
 * line on stderr that begins with the program's name.
 * @param codeOf the exit code of what a command threw
 */
export async function runProgram(
  program: Command,
  codeOf: (error: unknown) => number = exitCodeOf,
): Promise<number> {
  endWithReader(process.stdout);
  endWithReader(process.stderr);
  throwInsteadOfExit(program);
  complainInOneLine(program, program.name());
  try {
    await program.parseAsync();
    return EXIT.ok;
  } catch (error) {
    // Commander has printed its own message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const line = errorLine(error);
    if (line !== '') process.stderr.write(`${program.name()}: ${line}\n`);
    return codeOf(error);
  }
}

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

/** Commander's own complaints as one line that says where to look. */
function complainInOneLine(command: Command, name: string): void {
  const [program = name] = name.split(' ');
  command.configureOutput({
    outputError: (text, write) => {
      const complaint = text
        .trim()
        .replace(/^error: /, '')
        .replace(/\.$/, '')
        .replaceAll(/\s*\n\s*/g, ' ');
      write(`${program}: ${complaint}; see ${name} --help\n`);
    },
  });
  for (const child of command.commands) complainInOneLine(child, `${name} ${child.name()}`);
}
