/** What a disk may hold after a crash in the middle of a recorded run. */
import { unreachable } from '../../../src/base/index.ts';
import type { Dice } from '../../simulation/random.ts';
import { FileContents } from './file-contents.ts';
import type { FileChange, Step } from './trace.ts';

/**
 * What became of changes that were not synced. A disk takes whole sectors, and each as it was at
 * some moment: what was written to a sector earlier is in it too.
 * - `kept`: all reached the disk;
 * - `dropped`: none did;
 * - `torn`: the first of them did, and the last of those in part;
 * - `reordered`: every sector is from a moment of its own, and so is the file's length.
 */
export type Loss = 'kept' | 'dropped' | 'torn' | 'reordered';

export const LOSSES: readonly Loss[] = ['kept', 'dropped', 'torn', 'reordered'];
const SECTORS = [512, 4_096];

/** A file's changes, with the numbers of their steps. */
interface FileHistory {
  readonly changes: { readonly step: number; readonly change: FileChange }[];
  syncedBefore: number;
}

export interface CrashImage {
  /** Contents by path. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly begun: number;
  /** Operations that must be there. */
  readonly done: number;
}

/**
 * The image of a crash after so many steps. Everything before a file's last sync is there; names
 * are durable at once.
 */
export function imageAt(steps: readonly Step[], count: number, loss: Loss, dice: Dice): CrashImage {
  const files = new Map<string, FileHistory>();
  let begun = 0;
  let done = 0;
  for (const [number, step] of steps.slice(0, count).entries()) {
    switch (step.type) {
      case 'create':
        files.set(step.path, { changes: [], syncedBefore: 0 });
        break;
      case 'change':
        files.get(step.path)?.changes.push({ step: number, change: step.change });
        break;
      case 'sync': {
        const file = files.get(step.path);
        if (file !== undefined) file.syncedBefore = Math.max(file.syncedBefore, step.before);
        break;
      }
      case 'rename': {
        const file = files.get(step.from);
        files.delete(step.from);
        if (file !== undefined) files.set(step.to, file);
        break;
      }
      case 'remove':
        files.delete(step.path);
        break;
      case 'progress':
        ({ begun, done } = step);
        break;
      default:
        unreachable(step);
    }
  }
  const contents = new Map(
    [...files].map(([path, file]) => [path, contentsAfterCrash(file, loss, dice)]),
  );
  return { files: contents, begun, done };
}

function contentsAfterCrash(file: FileHistory, loss: Loss, dice: Dice): Buffer {
  const contents = new FileContents(dice.pick(SECTORS));
  const open: FileChange[] = [];
  for (const { step, change } of file.changes) {
    if (step < file.syncedBefore) contents.apply(change);
    else open.push(change);
  }
  const reached = newestOf(loss, open.length, dice);
  for (const [number, change] of open.entries()) {
    contents.apply(change, (sector) => number < reached(sector));
  }
  return contents.bytes();
}

/** How many of the open changes a sector has seen, or (undefined) the length. */
function newestOf(loss: Loss, open: number, dice: Dice): (sector: number | undefined) => number {
  switch (loss) {
    case 'kept':
      return () => open;
    case 'dropped':
      return () => 0;
    case 'torn': {
      const last = dice.below(open + 1);
      return memoized(() => (dice.chance(0.5) ? last : Math.max(0, last - 1)));
    }
    case 'reordered':
      return memoized(() => dice.below(open + 1));
    default:
      return unreachable(loss);
  }
}

/** Draws once for each sector. */
function memoized(draw: () => number): (sector: number | undefined) => number {
  const drawn = new Map<number | undefined, number>();
  return (sector) => {
    const known = drawn.get(sector) ?? draw();
    drawn.set(sector, known);
    return known;
  };
}
