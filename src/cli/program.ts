/** The command line as a whole. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addClusterCommands } from './commands/cluster.ts';
import { addDevCommand } from './commands/dev.ts';
import { addImportExportCommands } from './commands/import-export.ts';
import { addKeyCommands } from './commands/keys.ts';
import { addElectCommand } from './commands/elect.ts';
import { addLockListCommands } from './commands/locks-list.ts';
import { addLockCommands } from './commands/locks.ts';
import { addMapCommands } from './commands/map.ts';
import { addServeCommand } from './commands/serve.ts';
import { addSnapshotCommands } from './commands/snapshot.ts';
import { addSessionCommands } from './commands/sessions.ts';
import { addTableCommands } from './commands/table.ts';
import { addTxnCommands } from './commands/txn.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { addWatchCommand } from './commands/watch.ts';
import { withGlobalOptions } from './context.ts';

function packageVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  const parsed: { version?: string } = JSON.parse(readFileSync(file, 'utf8'));
  return parsed.version ?? 'unknown';
}

export function createProgram(): Command {
  const program = withGlobalOptions(new Command('holdfast'))
    .description(
      'A replicated locking registry: keys, locks with fencing tokens, sessions, watches.',
    )
    .version(packageVersion())
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      `
Exit codes: 0 done; 1 refused (locked, not found, no quorum); 2 bad usage; 3 the outcome is unknown.
With -w json what goes wrong is JSON as well, the last line on stderr: {"error":{"code":...}}.

Start with:
  holdfast dev                               a three-node cluster on this machine
  holdfast put greeting hello
  holdfast lock jobs/nightly -- ./backup.sh  run a command under a lock`,
    );
  addKeyCommands(program);
  addTxnCommands(program);
  addLockCommands(program);
  addLockListCommands(program);
  addElectCommand(program);
  addTableCommands(program);
  addMapCommands(program);
  addWatchCommand(program);
  addImportExportCommands(program);
  addSnapshotCommands(program);
  addSessionCommands(program);
  addClusterCommands(program);
  addVerifyCommand(program);
  addServeCommand(program);
  addDevCommand(program);
  return program;
}
