/** What the options of `list` and `count` ask of the registry. */
import { HoldfastError } from '../base/index.ts';
import type { RangeQuery, RangeSelection, Revision } from '../registry/index.ts';
import { wholeNumber } from './checks.ts';
import { pageRange } from './edge.ts';
import type { CountOptions, ListOptions } from './registry.ts';

const SORTS: ReadonlySet<string> = new Set([
  'key',
  'version',
  'createRevision',
  'modRevision',
  'value',
]);

export function listQuery(options: ListOptions): RangeQuery {
  const { sortBy = 'key', descending = false } = options;
  if (!SORTS.has(sortBy)) {
    const message = `sortBy is '${sortBy}': ${[...SORTS].join(', ')}`;
    throw new HoldfastError('invalid-argument', message);
  }
  if (options.after !== undefined && (sortBy !== 'key' || descending)) {
    const rule = '"after" goes with key order only: give a limit, or sort what records() gives';
    throw new HoldfastError('invalid-argument', rule);
  }
  const plain: RangeQuery = {
    type: 'range',
    ...pageRange(options),
    limit: wholeNumber(options.limit ?? 0, 'limit'),
    keysOnly: options.keysOnly === true,
    revision: wholeNumber(options.revision ?? 0, 'revision') as Revision,
  };
  const select = { ...filters(options), countOnly: false, sortBy, descending };
  return selects(select) ? { ...plain, select } : plain;
}

export function countQuery(options: CountOptions): RangeQuery {
  const select = {
    ...filters(options),
    countOnly: true,
    sortBy: 'key',
    descending: false,
  } as const;
  return { ...listQuery(options), select };
}

type Filters = Pick<
  RangeSelection,
  'minModRevision' | 'maxModRevision' | 'minCreateRevision' | 'maxCreateRevision'
>;

function filters(options: CountOptions): Filters {
  const bound = (name: keyof Filters): Revision =>
    wholeNumber(options[name] ?? 0, name) as Revision;
  return {
    minModRevision: bound('minModRevision'),
    maxModRevision: bound('maxModRevision'),
    minCreateRevision: bound('minCreateRevision'),
    maxCreateRevision: bound('maxCreateRevision'),
  };
}

function selects(select: RangeSelection): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = select;
  const bounds = minModRevision + maxModRevision + minCreateRevision + maxCreateRevision;
  return bounds > 0 || select.sortBy !== 'key' || select.descending;
}
