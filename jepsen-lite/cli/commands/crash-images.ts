/** crash-images: what a store makes of its disk after crashes at any moment. */
import type { Command } from 'commander';
import { numberOption } from '../../../src/cli/context.ts';
import { examples } from '../../../src/cli/help.ts';
import { counted } from '../../report/numbers.ts';
import { printJson, printLine } from '../../../src/cli/output.ts';
import { startProgress } from '../../../src/cli/progress.ts';
import { crashImages } from '../../real/crash-images/crash-images.ts';
import type { CrashImagesResult } from '../../real/crash-images/crash-images.ts';
import type { RecorderKind } from '../../real/crash-images/recorder.ts';
import { endWith } from '../exit.ts';
import { Interruption } from '../interruption.ts';
import { formatOf, oneOf } from '../options.ts';

interface CrashFlags {
  readonly store: string;
  readonly images: string;
  readonly seed: string;
  readonly recorder: string;
  readonly unsafe?: boolean;
}

const STORES = { sqlite: 'sqlite', level: 'level' } as const;
const ANY = 'any';
const RECORDER_NAMES = { [ANY]: ANY, strace: 'strace', library: 'library' } as const;
const SHOWN_FAILURES = 10;
const EXAMPLES = examples(
  'jepsen-lite crash-images --store level --images 500',
  'jepsen-lite crash-images --unsafe   # has to find something',
);

export function addCrashImagesCommand(program: Command): void {
  program
    .command('crash-images')
    .description('open what a disk may hold after crashes, and look for what was acknowledged')
    .option('--store <kind>', 'sqlite or level', 'sqlite')
    .option('--images <number>', 'how many crashes', '500')
    .option('--seed <number>', 'decides what is written, and the crashes', '1')
    .option('--recorder <name>', 'strace, library, or any that works here', ANY)
    .option('--unsafe', 'acknowledge before syncing, to see that it is found')
    .addHelpText(
      'after',
      `
A process works on the store while every change of its files and every sync is written down: by
strace, or where that is not installed or may not trace, by a library that is compiled with the
system's C compiler and preloaded. An image holds all that was synced; what was not is kept,
dropped, torn or reordered, by the sector.

Exit codes: 0 all recovered; 1 an image was not; 2 bad usage; 3 nothing can record here,
or it was interrupted.
${EXAMPLES}`,
    )
    .action(async (flags: CrashFlags, self: Command) => {
      const format = formatOf(self);
      const images = numberOption('--images', flags.images);
      using interruption = new Interruption();
      const progress = startProgress();
      const result = await crashImages({
        store: oneOf('--store', flags.store, STORES),
        images,
        seed: numberOption('--seed', flags.seed),
        ...recorderOf(flags),
        safety: flags.unsafe === true ? 'unsafe' : 'safe',
        signal: interruption.signal,
        onProgress: (done) => progress.update(() => `${done} of ${counted(images, 'image')}`),
      });
      progress.end(`${counted(result.images, 'image')} done`);
      if (format === 'json') printJson(result);
      else printResult(result);
      const good = result.images < images ? 'unknown' : 'passed';
      endWith(result.failures.length > 0 ? 'violation' : good);
    });
}

function recorderOf({ recorder }: CrashFlags): { recorder?: RecorderKind } {
  const kind = oneOf('--recorder', recorder, RECORDER_NAMES);
  return kind === ANY ? {} : { recorder: kind };
}

function printResult({ store, recorder, images, losses, failures }: CrashImagesResult): void {
  const kinds = Object.entries(losses).map(([loss, count]) => `${count} ${loss}`);
  const good = images - failures.length;
  printLine(
    `${store}: ${good} of ${counted(images, 'image')} recovered (unsynced: ${kinds.join(', ')})`,
  );
  printLine(`  recorded by ${recorder === 'strace' ? recorder : 'a preloaded library'}`);
  for (const { seed, step, loss, message } of failures.slice(0, SHOWN_FAILURES)) {
    printLine(`  seed ${seed}, crash after step ${step}, unsynced ${loss}: ${message}`);
  }
  const more = failures.length - SHOWN_FAILURES;
  if (more > 0) printLine(`  and ${more} more`);
}
