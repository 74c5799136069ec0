/**
 * The registry's semantics written as plainly as possible: maps, scans and copies, a full copy of
 * the keys per revision. What `apply` answers must be what this answers.
 */
import { unreachable } from '../../src/base/index.ts';
import type {
  CommandHeader,
  KeyRecord,
  KeyView,
  LockHolder,
  LockTerms,
  RegistryCommand,
  RegistryErrorCode,
  RegistryLimits,
  RegistryResult,
  Revision,
  SessionId,
} from '../../src/registry/index.ts';
import { EXCLUSIVE } from '../../src/registry/index.ts';
import { holderOf, mayHold, termsOf, valueOf, type ModelPlace } from './lock-model.ts';
import { TxnModel, TxnRefused, type TxnHost } from './txn-model.ts';

type Command<Type> = Extract<RegistryCommand, { type: Type }>;

const NO_BYTES = new Uint8Array(0);

interface ModelSession {
  readonly id: SessionId;
  readonly answers: Map<number, RegistryResult>;
  floor: number;
}

const QUEUE_KEY = /^(.*)\/[0-9a-f]{16}$/s;

function error(code: RegistryErrorCode): RegistryResult {
  return { type: 'error', code, message: '' };
}

export class Model implements TxnHost {
  limits: RegistryLimits;
  readonly keys: Map<string, KeyRecord> = new Map();
  readonly sessions: Map<SessionId, ModelSession> = new Map();
  /** All keys as of each revision. */
  readonly past: Map<number, ReadonlyMap<string, KeyRecord>> = new Map([[0, new Map()]]);
  readonly times: Map<number, number> = new Map();
  revision = 0;
  compactRevision = 0;
  time = 0;
  #changed = false;

  constructor(limits: RegistryLimits) {
    this.limits = limits;
  }

  apply(
    header: CommandHeader,
    command: RegistryCommand,
    index: number,
    time: number,
  ): RegistryResult {
    this.time = time;
    for (const record of this.#sorted()) {
      if (record.expiresAt !== undefined && record.expiresAt <= time) this.remove(record.key);
    }
    this.#commit();
    const result = this.#admit(header, command, index);
    const { historyMs, historyRevisions } = this.limits;
    for (let next = this.compactRevision + 1; next <= this.revision; next++) {
      const old = this.times.get(next)! <= time - historyMs;
      if (old || this.revision - this.compactRevision > historyRevisions)
        this.compactRevision = next;
    }
    return result;
  }

  #admit(header: CommandHeader, command: RegistryCommand, index: number): RegistryResult {
    const { sequence, acknowledged } = header;
    const session = this.sessions.get(header.session);
    if (header.session !== 0 && session === undefined) return error('session-expired');
    if (sequence === 0) return this.#execute(header, command, index);
    if (session === undefined || acknowledged >= sequence) return error('invalid-argument');
    session.floor = Math.max(session.floor, acknowledged);
    if (sequence <= session.floor) return error('sequence-too-old');
    const answered = session.answers.get(sequence);
    if (answered !== undefined) return answered;
    if (sequence > session.floor + this.limits.maxWindow) return error('overloaded');
    const result = this.#execute(header, command, index);
    session.answers.set(sequence, result);
    return result;
  }

  #execute(header: CommandHeader, command: RegistryCommand, index: number): RegistryResult {
    switch (command.type) {
      case 'put':
        return this.#put(header, command);
      case 'delete':
      case 'persist':
        return this.#change(header, command);
      case 'lock':
        return this.#lock(header, command);
      case 'unlock': {
        if (!this.validKey(command.name)) return error('invalid-key');
        const place = this.queue(command.name).find((one) => one.session === command.session);
        return this.#leave(command.name, place?.token === command.token ? place : undefined);
      }
      case 'breakLock': {
        if (!this.validKey(command.name)) return error('invalid-key');
        const holders = this.holders(command.name);
        return this.#leave(
          command.name,
          holders.find(({ token }) => token === command.token),
        );
      }
      case 'openSession': {
        const { ttlMs } = command;
        if (!(ttlMs >= this.limits.minSessionTtlMs)) return error('invalid-argument');
        const id = index as SessionId;
        this.sessions.set(id, { id, answers: new Map(), floor: 0 });
        return { type: 'session', revision: this.#commit(), session: id, ttlMs };
      }
      case 'closeSession': {
        if (!this.sessions.has(command.session)) return error('session-expired');
        return this.#end([command.session]);
      }
      case 'expireSessions':
        return this.#end(command.sessions, header.node);
      case 'tick':
        return { type: 'done', revision: this.#commit() };
      case 'compact': {
        if (command.revision > this.revision) return error('invalid-argument');
        if (command.revision <= this.compactRevision) return error('compacted');
        this.compactRevision = command.revision;
        return { type: 'done', revision: this.#commit() };
      }
      case 'setLimits':
        return this.#setLimits(command.limits);
      case 'txn':
        return this.#txn(header, command);
      case 'openTable':
      case 'dropTable':
      case 'tableStore':
      case 'tableErase':
      case 'tableConnect':
      case 'tableDisconnect':
      case 'tableDisconnectAll':
      case 'acknowledgeNotices':
        throw new Error('tables have a model of their own');
      case 'openMap':
      case 'detachMap':
      case 'dropMap':
      case 'mapPut':
      case 'mapRemove':
        throw new Error('maps have a model of their own');
      case 'lockTree':
      case 'updateTree':
      case 'releaseTree':
        throw new Error('hash trees are not modelled');
      default:
        return unreachable(command);
    }
  }

  #setLimits(limits: RegistryLimits): RegistryResult {
    if (limits.minSessionTtlMs > limits.maxSessionTtlMs) return error('invalid-argument');
    this.limits = limits;
    return { type: 'done', revision: this.#commit() };
  }

  #txn(header: CommandHeader, command: Command<'txn'>): RegistryResult {
    const changedBefore = this.#changed;
    try {
      const branch = new TxnModel(this, header).run(command);
      return { type: 'txn', revision: this.#commit(), ...branch };
    } catch (refused) {
      if (!(refused instanceof TxnRefused)) throw refused;
      this.#changed = changedBefore;
      return error(refused.code);
    }
  }

  #put(header: CommandHeader, command: Command<'put'>): RegistryResult {
    const { key, value, ttlMs, ephemeral, lock } = command;
    const { session } = header;
    if (!this.validKey(key)) return error('invalid-key');
    const validTtl = Number.isInteger(ttlMs) && ttlMs >= 0 && ttlMs <= this.limits.maxTtlMs;
    if (!validTtl || (session === 0 && (ephemeral || lock))) return error('invalid-argument');
    if (this.lockedToOthers(header, key)) return error('locked');
    if (lock && this.#conflicts(header, key, EXCLUSIVE)) return error('lock-conflict');
    if (lock && this.queue(key).length === 0) this.#join(header, key, EXCLUSIVE, NO_BYTES);
    const expiresAt = ttlMs === 0 ? undefined : this.time + ttlMs;
    this.write(header, { key, value, expiresAt, session: ephemeral ? session : (0 as SessionId) });
    const revision = this.#commit();
    return { type: 'key', revision, view: this.view(key) };
  }

  #change(header: CommandHeader, command: Command<'delete' | 'persist'>): RegistryResult {
    const { key } = command;
    if (!this.validKey(key)) return error('invalid-key');
    if (this.lockedToOthers(header, key)) return error('locked');
    const before = this.view(key);
    const { record } = before;
    if (command.type === 'delete') {
      this.remove(key);
      return { type: 'key', revision: this.#commit(), view: before };
    }
    if (record?.expiresAt !== undefined) this.write(header, { ...record, expiresAt: undefined });
    const revision = this.#commit();
    return { type: 'key', revision, view: this.view(key) };
  }

  #lock(header: CommandHeader, command: Command<'lock'>): RegistryResult {
    const { name, wait, metadata, terms } = command;
    if (!this.validKey(name)) return error('invalid-key');
    if (!this.#validTerms(terms) || header.session === 0) return error('invalid-argument');
    if (this.#conflicts(header, name, terms)) return error('lock-conflict');
    const others = this.queue(name);
    const isIn = others.some(({ session }) => session === header.session);
    const line = isIn ? others : [...others, { session: header.session, terms }];
    const place = line.findIndex(({ session }) => session === header.session);
    const held = mayHold(line.slice(0, place + 1));
    if (!wait && !held) return error('locked');
    if (!isIn) this.#join(header, name, terms, metadata);
    const revision = this.#commit();
    const { token } = this.queue(name)[place]!;
    return { type: 'lock', revision, token, held };
  }

  #leave(name: string, place: LockHolder | undefined): RegistryResult {
    if (place === undefined) return error('not-held');
    this.remove(queueKeyOf(name, place.session));
    return { type: 'done', revision: this.#commit() };
  }

  /** `expiredBy`: the node that found them expired. */
  #end(ids: readonly SessionId[], expiredBy?: string): RegistryResult {
    const held = new Set([...this.keys.keys()].filter((key) => this.#isHeld(key)));
    for (const id of ids) {
      this.sessions.delete(id);
      for (const record of this.#sorted()) {
        if (record.session !== id) continue;
        const delayMs =
          expiredBy !== undefined && held.has(record.key) ? termsOf(record.value).delayMs : 0;
        if (delayMs === 0) this.remove(record.key);
        else {
          const expiresAt = this.time + delayMs;
          const by = { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: expiredBy! };
          this.write(by, { ...record, session: 0 as SessionId, expiresAt });
        }
      }
    }
    return { type: 'done', revision: this.#commit() };
  }

  #isHeld(key: string): boolean {
    const name = QUEUE_KEY.exec(key)?.[1];
    if (name === undefined) return false;
    return this.holders(name).some(({ session }) => queueKeyOf(name, session) === key);
  }

  /** Who holds and waits, from the keys alone. */
  queue(name: string, keys: ReadonlyMap<string, KeyRecord> = this.keys): ModelPlace[] {
    const own = [...keys.values()].filter(({ key }) => QUEUE_KEY.exec(key)?.[1] === name);
    own.sort((a, b) => a.createRevision - b.createRevision);
    return own.map(({ key, value, createRevision }) => ({
      session: Number.parseInt(key.slice(-16), 16) as SessionId,
      token: createRevision as number as LockHolder['token'],
      terms: termsOf(value),
    }));
  }

  /** Those of the queue who hold. */
  holders(name: string): ModelPlace[] {
    const queue = this.queue(name);
    return queue.filter((_place, at) => mayHold(queue.slice(0, at + 1)));
  }

  view(key: string, keys: ReadonlyMap<string, KeyRecord> = this.keys): KeyView {
    const first = this.queue(key, keys)[0];
    const exclusive = first?.terms.mode === 'exclusive';
    return { record: keys.get(key), lock: exclusive ? holderOf(first) : undefined };
  }

  /** Every key as of a revision, in order. */
  list(revision: number): KeyView[] {
    const keys = this.past.get(revision)!;
    return [...keys.keys()].toSorted().map((key) => this.view(key, keys));
  }

  isQueueKey(key: string): boolean {
    return QUEUE_KEY.test(key);
  }

  validKey(key: string): boolean {
    return key !== '' && !QUEUE_KEY.test(key);
  }

  lockedToOthers(header: CommandHeader, name: string): boolean {
    const holders = this.holders(name);
    if (holders.length === 0) return false;
    if (holders[0]!.terms.mode === 'shared') return true;
    return !holders.some(({ session }) => session === header.session);
  }

  #validTerms({ mode, permits, limit, delayMs }: LockTerms): boolean {
    if (!(delayMs >= 0 && delayMs <= this.limits.maxLockDelayMs)) return false;
    return mode === 'semaphore' ? permits > 0 && permits <= limit : true;
  }

  /** Whether the session is there on other terms, or others are there for other ends. */
  #conflicts(header: CommandHeader, name: string, asked: LockTerms): boolean {
    const { mode, permits, limit, delayMs } = asked;
    return this.queue(name).some(({ session, terms }) => {
      if ((terms.mode === 'semaphore') !== (mode === 'semaphore')) return true;
      if (terms.limit !== limit) return true;
      if (session !== header.session) return false;
      return terms.mode !== mode || terms.permits !== permits || terms.delayMs < delayMs;
    });
  }

  #join(header: CommandHeader, name: string, terms: LockTerms, metadata: Uint8Array): void {
    const { session } = header;
    const key = queueKeyOf(name, session);
    const value = valueOf(terms, metadata);
    this.write(header, { key, value, session, expiresAt: undefined });
  }

  write(
    header: CommandHeader,
    what: Pick<KeyRecord, 'key' | 'value' | 'session' | 'expiresAt'>,
  ): void {
    const before = this.keys.get(what.key);
    const modRevision = (this.revision + 1) as Revision;
    this.keys.set(what.key, {
      key: what.key,
      value: what.value,
      createRevision: before?.createRevision ?? modRevision,
      modRevision,
      version: (before?.version ?? 0) + 1,
      session: what.session,
      expiresAt: what.expiresAt,
      node: header.node,
      time: this.time,
    });
    this.#changed = true;
  }

  remove(key: string): void {
    if (this.keys.delete(key)) this.#changed = true;
  }

  #commit(): Revision {
    if (this.#changed) {
      this.revision++;
      this.past.set(this.revision, new Map(this.keys));
      this.times.set(this.revision, this.time);
    }
    this.#changed = false;
    return this.revision as Revision;
  }

  #sorted(): KeyRecord[] {
    return [...this.keys.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }
}

function queueKeyOf(name: string, session: SessionId): string {
  return `${name}/${session.toString(16).padStart(16, '0')}`;
}
