/**
 * Transactions written as plainly as possible: every way through the branches is listed to look for
 * a key changed twice, and what is refused half way is undone by putting the old keys back.
 */
import { unreachable } from '../../src/base/index.ts';
import type {
  CommandHeader,
  KeyRecord,
  KeyView,
  RangeQuery,
  RegistryErrorCode,
  RegistryLimits,
  TxnBranchResult,
  TxnCommand,
  TxnCompare,
  TxnOp,
  TxnOpResult,
} from '../../src/registry/index.ts';

/** What of the model a transaction works on. */
export interface TxnHost {
  readonly limits: RegistryLimits;
  readonly keys: Map<string, KeyRecord>;
  readonly past: ReadonlyMap<number, ReadonlyMap<string, KeyRecord>>;
  readonly revision: number;
  readonly compactRevision: number;
  readonly time: number;
  view(key: string, keys?: ReadonlyMap<string, KeyRecord>): KeyView;
  validKey(key: string): boolean;
  isQueueKey(key: string): boolean;
  lockedToOthers(header: CommandHeader, key: string): boolean;
  write(
    header: CommandHeader,
    what: Pick<KeyRecord, 'key' | 'value' | 'session' | 'expiresAt'>,
  ): void;
  remove(key: string): void;
}

type Change = Extract<TxnOp, { type: 'put' | 'increment' | 'delete' | 'deleteRange' }>;

export class TxnRefused extends Error {
  readonly code: RegistryErrorCode;
  constructor(code: RegistryErrorCode) {
    super(code);
    this.code = code;
  }
}

function insist(condition: boolean, code: RegistryErrorCode): void {
  if (!condition) throw new TxnRefused(code);
}

export class TxnModel {
  readonly #host: TxnHost;
  readonly #header: CommandHeader;
  readonly #before: ReadonlyMap<string, KeyRecord>;

  constructor(host: TxnHost, header: CommandHeader) {
    this.#host = host;
    this.#header = header;
    this.#before = new Map(host.keys);
  }

  /** @throws TxnRefused */
  run(txn: TxnCommand): TxnBranchResult {
    const { limits, keys } = this.#host;
    insist(depthOf(txn) <= limits.maxTxnDepth, 'too-large');
    insist(partsOf(txn) <= limits.maxTxnOps, 'too-large');
    this.#check(txn);
    for (const path of pathsOf(txn)) insist(!repeats(path), 'invalid-argument');
    try {
      return this.#branch(txn);
    } catch (error) {
      keys.clear();
      for (const [key, record] of this.#before) keys.set(key, record);
      throw error;
    }
  }

  #check(txn: TxnCommand): void {
    const { limits } = this.#host;
    for (const { start, end } of txn.compares) {
      insist(end === undefined || end >= start, 'invalid-argument');
    }
    for (const op of [...txn.success, ...txn.failure]) {
      if (op.type === 'txn') this.#check(op);
      else if (op.type === 'deleteRange' || op.type === 'range') {
        insist(op.end === undefined || op.end >= op.start, 'invalid-argument');
      } else if (op.type === 'get') insist(op.key !== '', 'invalid-key');
      else insist(this.#host.validKey(op.key), 'invalid-key');
      if (op.type === 'put') {
        const { ttlMs, ephemeral } = op;
        const validTtl = Number.isInteger(ttlMs) && ttlMs >= 0 && ttlMs <= limits.maxTtlMs;
        insist(validTtl && (this.#header.session !== 0 || !ephemeral), 'invalid-argument');
      }
      if (op.type === 'increment') insist(Number.isSafeInteger(op.by), 'invalid-argument');
    }
  }

  #branch(txn: TxnCommand): TxnBranchResult {
    const succeeded = txn.compares.every((compare) => this.#holds(compare));
    const ops = succeeded ? txn.success : txn.failure;
    return { succeeded, results: ops.map((op) => this.#carryOut(op)) };
  }

  #holds(compare: TxnCompare): boolean {
    const found = [...this.#before.values()].filter(({ key }) => isWithin(key, compare));
    if (found.length === 0) return compare.target !== 'value' && stands(0, compare);
    return found.every((record) =>
      stands(
        compare.target === 'value'
          ? Buffer.compare(record.value, compare.operand)
          : record[compare.target],
        compare,
      ),
    );
  }

  #carryOut(op: TxnOp): TxnOpResult {
    const host = this.#host;
    switch (op.type) {
      case 'txn':
        return { type: 'txn', ...this.#branch(op) };
      case 'get':
        return { type: 'get', view: host.view(op.key) };
      case 'range':
        return this.#range(op);
      case 'deleteRange': {
        const keys = [...host.keys.keys()].filter(
          (key) => isWithin(key, op) && !host.isQueueKey(key),
        );
        for (const key of keys.toSorted()) this.#remove(key);
        return { type: 'deleteRange', deleted: keys.length };
      }
      case 'delete': {
        const view = host.view(op.key);
        this.#remove(op.key);
        return { type: 'delete', view };
      }
      case 'put': {
        const expiresAt = op.ttlMs === 0 ? undefined : host.time + op.ttlMs;
        const session = op.ephemeral ? this.#header.session : (0 as KeyRecord['session']);
        return this.#put({ key: op.key, value: op.value, session, expiresAt });
      }
      case 'increment': {
        const record = host.keys.get(op.key);
        const text = record === undefined ? '0' : Buffer.from(record.value).toString('latin1');
        insist(!host.lockedToOthers(this.#header, op.key), 'locked');
        insist(/^-?\d+$/.test(text), 'invalid-argument');
        const value = Uint8Array.from(Buffer.from(String(Number(text) + op.by)));
        const { session, expiresAt } = record ?? { session: 0 as KeyRecord['session'] };
        return this.#put({ key: op.key, value, session, expiresAt });
      }
      default:
        return unreachable(op);
    }
  }

  #put(what: Pick<KeyRecord, 'key' | 'value' | 'session' | 'expiresAt'>): TxnOpResult {
    insist(!this.#host.lockedToOthers(this.#header, what.key), 'locked');
    this.#host.write(this.#header, what);
    return { type: 'put', view: this.#host.view(what.key) };
  }

  #remove(key: string): void {
    insist(!this.#host.lockedToOthers(this.#header, key), 'locked');
    this.#host.remove(key);
  }

  #range(query: RangeQuery): TxnOpResult {
    const { revision, compactRevision, past } = this.#host;
    insist(query.revision <= revision, 'invalid-argument');
    insist(query.revision === 0 || query.revision >= compactRevision, 'compacted');
    const keys = query.revision === 0 ? this.#host.keys : past.get(query.revision)!;
    const found = select(query, [...keys.values()]);
    if (query.select?.countOnly === true) return { type: 'count', count: found.length };
    const cut = query.limit === 0 ? found : found.slice(0, query.limit);
    const views = cut.map((record) => {
      const { lock } = this.#host.view(record.key, keys);
      return { record: query.keysOnly ? { ...record, value: new Uint8Array(0) } : record, lock };
    });
    return { type: 'range', views, more: cut.length < found.length };
  }
}

function isIn(at: number, min: number, max: number): boolean {
  return at >= min && (max === 0 || at <= max);
}

/** The records a range query means, in its order. */
export function select(query: RangeQuery, records: readonly KeyRecord[]): KeyRecord[] {
  const found = records
    .filter(({ key }) => isWithin(key, query))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const { select: how } = query;
  if (how === undefined) return found;
  const { sortBy, descending } = how;
  const order = (a: KeyRecord, b: KeyRecord): number => {
    if (sortBy === 'value') return Buffer.compare(a.value, b.value);
    if (sortBy === 'key') return a.key < b.key ? -1 : 1;
    return a[sortBy] - b[sortBy];
  };
  return found
    .filter(
      ({ modRevision, createRevision }) =>
        isIn(modRevision, how.minModRevision, how.maxModRevision) &&
        isIn(createRevision, how.minCreateRevision, how.maxCreateRevision),
    )
    .toSorted((a, b) => (descending ? order(b, a) : order(a, b)));
}

function isWithin(
  key: string,
  { start, end }: { readonly start: string; readonly end: string | undefined },
): boolean {
  return key >= start && (end === undefined || key < end);
}

/** `found` is the number to be compared, or for values how they compare. */
function stands(found: number, { operator, target, operand }: TxnCompare): boolean {
  const than = target === 'value' ? 0 : operand;
  if (operator === 'equal') return found === than;
  if (operator === 'notEqual') return found !== than;
  return operator === 'less' ? found < than : found > than;
}

function partsOf({ compares, success, failure }: TxnCommand): number {
  const ops = [...success, ...failure];
  const nested = ops.map((op) => (op.type === 'txn' ? partsOf(op) : 0));
  return nested.reduce((sum, parts) => sum + parts, compares.length + ops.length);
}

function depthOf({ success, failure }: TxnCommand): number {
  return (
    1 + Math.max(0, ...[...success, ...failure].map((op) => (op.type === 'txn' ? depthOf(op) : 0)))
  );
}

/** The changes on each way through the branches. */
function pathsOf(txn: TxnCommand): Change[][] {
  return [txn.success, txn.failure].flatMap((branch) => {
    let paths: Change[][] = [[]];
    for (const op of branch) {
      if (op.type === 'get' || op.type === 'range') continue;
      const parts = op.type === 'txn' ? pathsOf(op) : [[op]];
      paths = paths.flatMap((path) => parts.map((part) => [...path, ...part]));
    }
    return paths;
  });
}

function repeats(path: readonly Change[]): boolean {
  return path.some((one, at) => path.slice(at + 1).some((other) => collide(one, other)));
}

function collide(one: Change, other: Change): boolean {
  const [a, b] = [one, other].map((change) =>
    change.type === 'deleteRange' ? change : { start: change.key, end: `${change.key}\0` },
  );
  const isPut = ({ type }: Change): boolean => type === 'put' || type === 'increment';
  return (isPut(one) && isWithin(a!.start, b!)) || (isPut(other) && isWithin(b!.start, a!));
}
