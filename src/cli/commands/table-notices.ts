/** The lines of `holdfast table notices`. */
import { unreachable } from '../../base/index.ts';
import type { Notice, NoticeReason, Registry } from '../../client/index.ts';
import { inOneLine, printJson, printLine, type Format } from '../output.ts';
import { interruptible } from '../under-lock.ts';

/** Until there were so many, or the process is asked to stop. */
export async function printNotices(
  registry: Registry,
  session: number,
  count: number,
  format: Format,
): Promise<void> {
  const stopping = interruptible('the end');
  try {
    const { signal } = stopping;
    let left = count;
    for await (const notice of registry.notices({ session, signal })) {
      print(format, notice);
      if (--left <= 0) break;
    }
  } finally {
    stopping.end();
  }
}

function print(format: Format, notice: Notice): void {
  const { type, table, connection, reason, revision } = notice;
  const { id, key, type: edge, peer } = connection;
  if (format === 'json')
    printJson({ type, table, key, edge, peer, connection: id, reason, revision });
  else
    printLine(
      `${inOneLine(table)}\t${inOneLine(key)}\t${type}\t${inWords(reason)}\tconnection=${id}`,
    );
}

function inWords(reason: NoticeReason): string {
  switch (reason.type) {
    case 'exit':
      return `session ${reason.peer} ended (${reason.why})`;
    case 'erased':
      return reason.by === 0 ? 'erased' : `erased by session ${reason.by}`;
    case 'noentry':
      return 'there was no entry';
    case 'tableDown':
      return `the table went down (${reason.why})`;
    default:
      return unreachable(reason);
  }
}
