/**
 * Backups: the registry as it is at one moment, sent to clients chunk by chunk as they read.
 * Nothing is copied for it: the registry keeps the history that the cut still needs. The rules here
 * keep that within bounds: few backups at once, no reader that stops, no growth beyond a limit.
 */
import { HoldfastError } from '../base/index.ts';
import type { Environment } from '../node/index.ts';
import type { BackupOrigin } from '../protocol/index.ts';
import type { ServiceLimits } from './limits.ts';

/** What backups need of the registry's state machine. */
export interface BackupSource {
  /** Cluster time in ms. */
  readonly time: number;
  /** What all changes so far weigh: grows with each. */
  readonly changedBytes: number;
  /** Cuts the state now; the chunks are made as they are asked for. */
  snapshotChunks(): IterableIterator<Uint8Array>;
}

/** Who a backup goes to. */
export interface BackupTarget {
  /** Whether more may be sent now; when not, `wake` tells once it may. */
  readonly writable: boolean;
  started(origin: BackupOrigin): void;
  chunk(payload: Uint8Array): void;
  /** The last call: all was sent (undefined), or why not. */
  finished(error: HoldfastError | undefined): void;
}

/** One backup under way. */
export interface Backup {
  readonly target: BackupTarget;
  readonly chunks: IterableIterator<Uint8Array>;
  /** Made, and not sent yet. */
  next: IteratorResult<Uint8Array, unknown>;
  /** Bytes that may be sent before the client has read some. */
  credit: number;
  readonly changedBytesAtCut: number;
  /** Something was sent since the last look. */
  moved: boolean;
  cancelTimer: () => void;
  state: 'idle' | 'scheduled' | 'ended';
}

export class Backups {
  readonly #source: BackupSource;
  readonly #environment: Pick<Environment, 'defer' | 'setTimer'>;
  readonly #limits: ServiceLimits;
  readonly #underWay = new Set<Backup>();

  constructor(
    source: BackupSource,
    environment: Pick<Environment, 'defer' | 'setTimer'>,
    limits: ServiceLimits,
  ) {
    this.#source = source;
    this.#environment = environment;
    this.#limits = limits;
  }

  /** Cuts the state now and begins to send it. `target` is told everything, refusals too. */
  open(origin: BackupOrigin, target: BackupTarget): Backup | undefined {
    const { maxBackups, watchWindowBytes } = this.#limits;
    if (this.#underWay.size >= maxBackups) {
      const text = `${maxBackups} backups are being taken from this node (maxBackups): wait`;
      target.finished(new HoldfastError('overloaded', text));
      return undefined;
    }
    const changedBytesAtCut = this.#source.changedBytes;
    const chunks = this.#source.snapshotChunks();
    const backup: Backup = {
      target,
      chunks,
      // A generator that was never asked for anything could not be told to let go of the cut.
      next: chunks.next(),
      credit: watchWindowBytes,
      changedBytesAtCut,
      moved: false,
      cancelTimer: () => undefined,
      state: 'idle',
    };
    this.#underWay.add(backup);
    this.#watchForStall(backup);
    target.started(origin);
    this.wake(backup);
    return backup;
  }

  /** The client has read so many bytes. */
  credit(backup: Backup, bytes: number): void {
    backup.credit = Math.min(backup.credit + bytes, this.#limits.watchWindowBytes);
    this.wake(backup);
  }

  /** There may be something to send, and room for it. */
  wake(backup: Backup): void {
    if (backup.state !== 'idle' || !this.#maySend(backup)) return;
    backup.state = 'scheduled';
    // One chunk a turn: making one takes a while, and others have work too.
    this.#environment.defer(() => this.#sendOne(backup));
  }

  /** The registry has changed. */
  applied(): void {
    const { maxBackupGrowthBytes } = this.#limits;
    for (const backup of this.#underWay) {
      const grown = this.#source.changedBytes - backup.changedBytesAtCut;
      if (grown <= maxBackupGrowthBytes) continue;
      const text =
        `the registry changed by ${grown} bytes before the backup was read, more than ` +
        `${maxBackupGrowthBytes} (maxBackupGrowthBytes): read faster, or from a quieter node`;
      this.#end(backup, new HoldfastError('overrun', text));
    }
  }

  /** The client does not want it any more; it is told nothing. Idempotent. */
  drop(backup: Backup): void {
    if (backup.state === 'ended') return;
    backup.state = 'ended';
    backup.cancelTimer();
    this.#underWay.delete(backup);
    backup.chunks.return?.();
  }

  #maySend({ next, credit, target }: Backup): boolean {
    return next.done === true || (credit > 0 && target.writable);
  }

  #sendOne(backup: Backup): void {
    if (backup.state === 'ended') return;
    backup.state = 'idle';
    const { next, target } = backup;
    if (next.done === true) {
      this.#end(backup, undefined);
      return;
    }
    if (!this.#maySend(backup)) return;
    backup.credit -= next.value.length;
    backup.moved = true;
    target.chunk(next.value);
    this.#makeNext(backup);
    this.wake(backup);
  }

  #makeNext(backup: Backup): void {
    try {
      backup.next = backup.chunks.next();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#end(backup, new HoldfastError('overrun', text, { cause: error }));
    }
  }

  #watchForStall(backup: Backup): void {
    const { backupStallMs } = this.#limits;
    backup.cancelTimer = this.#environment.setTimer(backupStallMs, () => {
      if (backup.moved) {
        backup.moved = false;
        this.#watchForStall(backup);
        return;
      }
      const text = `the backup was not read for ${backupStallMs} ms (backupStallMs)`;
      this.#end(backup, new HoldfastError('overrun', text));
    });
  }

  #end(backup: Backup, error: HoldfastError | undefined): void {
    if (backup.state === 'ended') return;
    this.drop(backup);
    backup.target.finished(error);
  }
}
