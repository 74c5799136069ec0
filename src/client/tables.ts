import { TABLE_PREFIX, tableInKey } from '../registry/index.ts';
import { textOf } from './edge.ts';
import { knownOptions } from './call-options.ts';
import type { ReadOptions } from './key-types.ts';
import { recordsUnder } from './named-records.ts';
import { NoticeBoard } from './notice-board.ts';
import { NoticeStream } from './notice-stream.ts';
import type { NoticeOptions, Notices } from './notice-types.ts';
import { resultOf } from './proposals.ts';
import type { Key } from './registry.ts';
import { findTable, type TableHost } from './table-host.ts';
import { TableHandle } from './table.ts';
import { encodeTableName } from './table-edge.ts';
import type { Table, TableDetails, TableOptions } from './table-types.ts';

/** Opens tables, and hands out the notices of their edges. */
export class Tables {
  readonly #host: TableHost;
  readonly #board: NoticeBoard;

  constructor(host: TableHost) {
    this.#host = host;
    this.#board = new NoticeBoard(host.proposals);
  }

  async open(name: Key, options: TableOptions): Promise<Table> {
    const table = encodeTableName(name);
    const existed = await this.#open(table, options);
    const { session } = options;
    return new TableHandle(this.#host, this.#board, { name: table, existed, session });
  }

  async list(options: ReadOptions): Promise<readonly TableDetails[]> {
    const records = await recordsUnder(this.#host, TABLE_PREFIX, options);
    return records.map(({ key, session, createRevision }) => {
      return { name: textOf(tableInKey(key)), session: session || undefined, createRevision };
    });
  }

  notices(options: NoticeOptions): Notices {
    knownOptions('notices', options);
    return new NoticeStream(this.#host, this.#board, options);
  }

  close(): void {
    this.#board.close();
  }

  /** Whether somebody had opened it. */
  async #open(table: string, options: TableOptions): Promise<boolean> {
    knownOptions('table', options);
    if (options.create === false) {
      const { timeout, signal } = options;
      const call = {
        ...(timeout === undefined ? {} : { timeout }),
        ...(signal === undefined ? {} : { signal }),
      };
      await findTable(this.#host, table, call);
      return true;
    }
    const linked = options.link === true;
    const patience = this.#host.patience(options);
    const actor = await this.#host.actorFor(options.session, patience, linked);
    const command = { type: 'openTable', table, linked } as const;
    const { result } = await this.#host.proposals.propose(command, actor, patience, true);
    return resultOf(result, 'table').existed;
  }
}
