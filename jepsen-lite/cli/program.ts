/** The command line as a whole. */
import { Command } from 'commander';
import { addCheckCommand } from './commands/check.ts';
import { addCrashImagesCommand } from './commands/crash-images.ts';
import { addMutantsCommand } from './commands/mutants.ts';
import { addRealCommand } from './commands/real.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addSimulateCommand } from './commands/simulate.ts';

export function createProgram(): Command {
  const program = new Command('jepsen-lite')
    .description('Fault injection: clusters under faults, their histories checked.')
    .option('-w, --write-out <format>', 'simple or json', 'simple')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      `
Exit codes: 0 passed; 1 a violation was found; 2 bad usage; 3 neither could be shown.`,
    );
  addSimulateCommand(program);
  addReplayCommand(program);
  addRealCommand(program);
  addCrashImagesCommand(program);
  addCheckCommand(program);
  addMutantsCommand(program);
  return program;
}
