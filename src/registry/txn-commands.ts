import { unreachable } from '../base/index.ts';
import { viewOf, type Act } from './act.ts';
import { storeValue } from './key-version.ts';
import type { KeyDraft } from './mvcc-store.ts';
import { countRange, readRange } from './range-read.ts';
import { ScanBudget } from './scan.ts';
import { checkTxn } from './txn-check.ts';
import { Planner, type Plan, type Step } from './txn-plan.ts';
import type {
  ByteString,
  KeyView,
  RangeQuery,
  RegistryResult,
  SessionId,
  TxnBranchResult,
  TxnCommand,
  TxnOpResult,
} from './types.ts';

/** Everything that can refuse it comes before the first change, so it is done whole or not. */
export function transact(act: Act, command: TxnCommand): RegistryResult {
  const malformed = checkTxn(act, command);
  if (malformed !== undefined) return malformed;
  const planner = new Planner(act);
  const plan = planner.plan(command);
  if (planner.refusal !== undefined) return planner.refusal;
  const room = act.state.limits.maxTxnReadBytes - planner.readBytes;
  const branch = new Transaction(act, room).run(plan);
  return { type: 'txn', revision: act.state.commit(), ...branch };
}

/** What the ranges are going to visit was paid for when it was planned. */
const UNLIMITED = new ScanBudget(Infinity, false);

class Transaction {
  readonly #act: Act;
  /** Bytes that ranges may still answer with. */
  #room: number;

  constructor(act: Act, room: number) {
    this.#act = act;
    this.#room = room;
  }

  run({ succeeded, steps }: Plan): TxnBranchResult {
    return { succeeded, results: steps.map((step) => this.#carryOut(step)) };
  }

  #carryOut(step: Step): TxnOpResult {
    const { store } = this.#act.state;
    switch (step.type) {
      case 'put': {
        const { key, value, ttlMs, ephemeral } = step;
        const expiresAt = ttlMs === 0 ? undefined : store.time + ttlMs;
        const session = ephemeral ? this.#act.session : (0 as SessionId);
        const stored = storeValue(value);
        return { type: 'put', view: this.#put({ key, stored, session, expiresAt }) };
      }
      case 'increment': {
        const { key, sum } = step;
        const before = store.find(key)?.live;
        const session = before?.session ?? (0 as SessionId);
        const expiresAt = before?.expiresAt;
        return { type: 'put', view: this.#put({ key, stored: `${sum}`, session, expiresAt }) };
      }
      case 'delete':
        return { type: 'delete', view: this.#delete(step.key) };
      case 'deleteEntries': {
        const live = step.entries.filter((entry) => entry.live !== undefined);
        for (const entry of live) store.remove(entry, 'request', this.#act.node);
        return { type: 'deleteRange', deleted: live.length };
      }
      case 'get':
        return { type: 'get', view: viewOf(this.#act, step.key) };
      case 'range':
        return this.#range(step);
      case 'plan':
        return { type: 'txn', ...this.run(step) };
      default:
        return unreachable(step);
    }
  }

  #put(draft: Omit<KeyDraft, 'node'>): KeyView {
    const { state, node } = this.#act;
    const record = state.store.put({ ...draft, node });
    return { record, lock: state.store.locks.holder(draft.key) };
  }

  #delete(key: ByteString): KeyView {
    const { store } = this.#act.state;
    const view = viewOf(this.#act, key);
    const entry = store.find(key);
    if (entry?.live !== undefined) store.remove(entry, 'request', this.#act.node);
    return view;
  }

  #range(query: RangeQuery): TxnOpResult {
    const { state } = this.#act;
    if (query.select?.countOnly === true) {
      return { type: 'count', count: countRange(state, query, UNLIMITED).count };
    }
    const room = { bytes: this.#room, budget: UNLIMITED, atLeastOne: false };
    const { views, more, bytes } = readRange(state, query, room);
    this.#room -= bytes;
    return { type: 'range', views, more };
  }
}
