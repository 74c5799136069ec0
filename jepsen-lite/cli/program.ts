/** The command line as a whole. */
import { Command } from 'commander';

type Add = (program: Command) => void;

/** In the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  simulate: async () => (await import('./commands/simulate.ts')).addSimulateCommand,
  replay: async () => (await import('./commands/replay.ts')).addReplayCommand,
  real: async () => (await import('./commands/real.ts')).addRealCommand,
  'crash-images': async () => (await import('./commands/crash-images.ts')).addCrashImagesCommand,
  check: async () => (await import('./commands/check.ts')).addCheckCommand,
  mutants: async () => (await import('./commands/mutants.ts')).addMutantsCommand,
};

/** With the one command that the arguments name, as it starts sooner without the rest; else all. */
export async function createProgram(args: readonly string[] = []): Promise<Command> {
  const program = new Command('jepsen-lite')
    .description('Fault injection: clusters under faults, their histories checked.')
    .option('-w, --write-out <format>', 'simple or json', 'simple')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      `
Exit codes: 0 passed; 1 a violation was found; 2 bad usage; 3 neither could be shown.`,
    );
  const named = args.find((arg) => Object.hasOwn(COMMANDS, arg));
  const wanted = named === undefined ? Object.keys(COMMANDS) : [named];
  for (const add of await Promise.all(wanted.map((name) => COMMANDS[name]!()))) add(program);
  return program;
}
