/** One registry with a log index and a clock that tests move by hand. */
import assert from 'node:assert/strict';
import {
  decodeAnswer,
  decodeResult,
  encodeCommand,
  encodeQuery,
  EXCLUSIVE,
  RegistryStateMachine,
  resolveLimits,
  type CommandHeader,
  type FencingToken,
  type KeyRecord,
  type KeyView,
  type LockTerms,
  type RegistryAnswer,
  type RegistryCommand,
  type RegistryLimits,
  type RegistryQuery,
  type RegistryResult,
  type Revision,
  type RevisionEvents,
  type SessionId,
} from '../../src/registry/index.ts';

export const NONE: Uint8Array = new Uint8Array(0);
const NOBODY: CommandHeader = { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: '' };

export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

export function textOf(record: KeyRecord | undefined): string | undefined {
  return record === undefined ? undefined : Buffer.from(record.value).toString();
}

type ResultOf<Type extends RegistryResult['type']> = Extract<RegistryResult, { type: Type }>;
type AnswerOf<Type extends RegistryAnswer['type']> = Extract<RegistryAnswer, { type: Type }>;

export interface PutOptions {
  readonly ttlMs?: number;
  readonly ephemeral?: boolean;
  readonly lock?: boolean;
  readonly by?: SessionId;
}

export class Rig {
  readonly machine: RegistryStateMachine;
  /** Log index of the last command. */
  index = 0;
  /** Cluster time of the next command. */
  time = 1000;

  readonly #limits: Partial<RegistryLimits>;

  constructor(limits: Partial<RegistryLimits> = {}) {
    this.#limits = limits;
    this.machine = registryWith(limits);
  }

  applyBytes(command: Uint8Array): Uint8Array {
    this.index++;
    return this.machine.apply(command, { index: this.index, term: 1, time: this.time });
  }

  do(command: RegistryCommand, header: Partial<CommandHeader> = {}): RegistryResult {
    const whole = { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: 'a', ...header };
    return decodeResult(this.applyBytes(encodeCommand(whole, command)));
  }

  put(key: string, text: string, options: PutOptions = {}): RegistryResult {
    const { ttlMs = 0, ephemeral = false, lock = false, by = 0 as SessionId } = options;
    const value = bytes(text);
    return this.do({ type: 'put', key, value, ttlMs, ephemeral, lock }, { session: by });
  }

  delete(key: string, by: SessionId = 0 as SessionId): RegistryResult {
    return this.do({ type: 'delete', key }, { session: by });
  }

  persist(key: string, by: SessionId = 0 as SessionId): RegistryResult {
    return this.do({ type: 'persist', key }, { session: by });
  }

  lock(name: string, by: SessionId, wait = true, terms: LockTerms = EXCLUSIVE): RegistryResult {
    return this.do({ type: 'lock', name, wait, metadata: NONE, terms }, { session: by });
  }

  /** Takes a lock that is free, or joins its queue. */
  token(name: string, by: SessionId, terms: LockTerms = EXCLUSIVE): FencingToken {
    return resultOf(this.lock(name, by, true, terms), 'lock').token;
  }

  unlock(name: string, session: SessionId, token: FencingToken): RegistryResult {
    return this.do({ type: 'unlock', name, session, token });
  }

  open(ttlMs = 10_000): SessionId {
    const result = this.do({
      type: 'openSession',
      ttlMs,
      label: 'l',
      metadata: NONE,
      trapExits: false,
    });
    return resultOf(result, 'session').session;
  }

  close(session: SessionId): RegistryResult {
    return this.do({ type: 'closeSession', session });
  }

  tick(): RegistryResult {
    return this.do({ type: 'tick' });
  }

  ask<Type extends RegistryQuery['type']>(
    query: Extract<RegistryQuery, { type: Type }>,
  ): RegistryAnswer {
    return decodeAnswer(this.machine.query(encodeQuery(query)));
  }

  view(key: string): KeyView {
    return answerOf(this.ask({ type: 'get', key }), 'get').view;
  }

  get(key: string): KeyRecord | undefined {
    return this.view(key).record;
  }

  /** Every key from `start`, as of `revision` (0: now). */
  list(start = '', revision = 0): KeyView[] {
    const answer = this.ask({
      type: 'range',
      start,
      end: undefined,
      limit: 0,
      keysOnly: false,
      revision: revision as Revision,
    });
    return [...answerOf(answer, 'range').views];
  }

  keys(revision = 0): string[] {
    return this.list('', revision).map(({ record }) => record!.key);
  }

  stats(): AnswerOf<'stats'>['stats'] {
    return answerOf(this.ask({ type: 'stats' }), 'stats').stats;
  }

  events(from: number, start = '', end?: string): readonly RevisionEvents[] {
    const since = this.machine.eventsSince(from as Revision, start, end, 1e6);
    assert.equal(since.type, 'events');
    return since.type === 'events' ? since.events : [];
  }

  snapshot(): Buffer {
    return Buffer.concat([...this.machine.snapshotChunks()]);
  }

  /** A registry restored from `snapshot`, standing at this one's place in the log. */
  restored(snapshot: Uint8Array): Rig {
    const rig = new Rig(this.#limits);
    restore(rig.machine, [snapshot]);
    rig.index = this.index;
    rig.time = this.time;
    return rig;
  }
}

/** A registry in which these limits are in force, by a command before the first. */
export function registryWith(limits: Partial<RegistryLimits>): RegistryStateMachine {
  const machine = new RegistryStateMachine({ limits });
  const command = { type: 'setLimits', limits: resolveLimits(limits) } as const;
  machine.apply(encodeCommand(NOBODY, command), { index: 0, term: 1, time: 0 });
  return machine;
}

export function restore(machine: RegistryStateMachine, chunks: Iterable<Uint8Array>): void {
  const restorer = machine.restorer();
  for (const chunk of chunks) restorer.push(chunk);
  restorer.finish();
}

export function resultOf<Type extends RegistryResult['type']>(
  result: RegistryResult,
  type: Type,
): ResultOf<Type> {
  assert.equal(result.type, type, JSON.stringify(result));
  return result as ResultOf<Type>;
}

export function answerOf<Type extends RegistryAnswer['type']>(
  answer: RegistryAnswer,
  type: Type,
): AnswerOf<Type> {
  assert.equal(answer.type, type, JSON.stringify(answer));
  return answer as AnswerOf<Type>;
}

/** Asserts a refusal and returns its message. */
export function refused(result: RegistryResult | RegistryAnswer, code: string): string {
  assert.equal(result.type, 'error', JSON.stringify(result));
  if (result.type !== 'error') return '';
  assert.equal(result.code, code, result.message);
  return result.message;
}
