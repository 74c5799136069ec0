/** The registry's own records of things with names: tables and maps. */
import type { ByteString, KeyRecord, Revision } from '../registry/index.ts';
import { consistencyOf } from './checks.ts';
import { prefixEnd } from './edge.ts';
import type { CallOptions, ReadOptions } from './key-types.ts';
import type { Patience, Proposals } from './proposals.ts';
import { readPage } from './range-pages.ts';

interface Host {
  readonly proposals: Proposals;
  patience(options: CallOptions | undefined): Patience;
}

/** All whose keys begin with the prefix, in key order, as of one revision. */
export async function recordsUnder(
  host: Host,
  prefix: ByteString,
  options: ReadOptions,
): Promise<readonly KeyRecord[]> {
  const consistency = consistencyOf(options);
  const fixed = { type: 'range', end: prefixEnd(prefix), limit: 0, keysOnly: false } as const;
  const found: KeyRecord[] = [];
  let start = prefix;
  let revision = 0 as Revision;
  for (;;) {
    const page = await readPage({ ...fixed, start, revision }, (query) =>
      host.proposals.query(query, consistency, host.patience(options)),
    );
    // Answers to later pages tell of newer revisions, at which they were not read.
    if (revision === 0) ({ revision } = page);
    for (const { record } of page.views) if (record !== undefined) found.push(record);
    const last = page.views.at(-1)?.record;
    if (!page.more || last === undefined) return found;
    start = `${last.key}\0`;
  }
}
