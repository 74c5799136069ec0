/** Compares all replicas at one log index. */
import { HoldfastError } from '../base/index.ts';
import type { MemberStatus } from '../protocol/index.ts';
import type { ClientHashTree } from './hash-tree.ts';
import type { MemberCalls } from './member-calls.ts';
import type { Patience } from './proposals.ts';
import type { Session } from './registry.ts';
import type { ComparedTree } from './tree-compare.ts';
import { judge, type Compared, type Reading } from './verdict.ts';
import { replicaDifferences } from './replica-differences.ts';
import type { Verification, VerifiedMember, VerifyProgress } from './verify-types.ts';
import { abortError, pause } from './waiting.ts';

export interface VerifyHost {
  readonly hashTree: Pick<ClientHashTree, 'lock' | 'release' | 'reset' | 'ask' | 'compared'>;
  readonly members: Pick<MemberCalls, 'members' | 'call' | 'environment'>;
  readonly openSession: (patience: VerifySettings['patience']) => Promise<Session>;
}

export interface VerifySettings {
  readonly quick: boolean;
  readonly maxDifferences: number;
  /** With the signal of whoever asked. */
  readonly patience: Patience & { readonly signal: AbortSignal | undefined };
  readonly progress: (progress: VerifyProgress) => void;
}

/** One question to one member; it is asked again as long as there is time. */
const ASK_MS = 2_000;
/** To name what differs at one member. */
const COMPARE_MS = 60_000;
const FIRST_PAUSE_MS = 5;
const MAX_PAUSE_MS = 250;
/** A member that cannot be reached so often in a row is away. */
const MAX_FAILURES = 3;
/** One that has applied the lock and has no tree for it will not get one. */
const MAX_UNBUILT = 8;

interface Point {
  readonly index: number;
  readonly revision: number;
}

export class Verify {
  readonly #host: VerifyHost;
  readonly #settings: VerifySettings;
  #members: readonly MemberStatus[] = [];
  #ready = 0;

  constructor(host: VerifyHost, settings: VerifySettings) {
    this.#host = host;
    this.#settings = settings;
  }

  async run(): Promise<Verification> {
    const { patience } = this.#settings;
    this.#members = await this.#host.members.members(patience);
    this.#say('locking');
    await using session = await this.#host.openSession(patience);
    const point = await this.#lock(session);
    try {
      this.#say('hashing');
      const readings = await Promise.all(this.#members.map((one) => this.#read(one, point)));
      return await this.#compare(point, await this.#confirm(session, point, readings));
    } finally {
      // The end of the session does it too.
      const given = { session, timeout: ASK_MS };
      await this.#host.hashTree.release(given).catch(() => undefined);
    }
  }

  /** Waits while another has the trees locked; those that are to be scanned anew are first. */
  async #lock(session: Session): Promise<Point> {
    const { hashTree } = this.#host;
    const { quick, patience } = this.#settings;
    for (let round = 0; ; round++) {
      if (!quick) await this.#reset();
      try {
        const locked = await hashTree.lock({ session, ...this.#callOptions() });
        if (locked.type === 'ok') return locked;
      } catch (error) {
        if (round === 0 || !(error instanceof HoldfastError) || error.code !== 'timeout')
          throw error;
      }
      this.#throwIfOver('the trees are locked by another session all the time', 'locked');
      await this.#pause(round, patience.signal);
    }
  }

  /**
   * Every tree that can be reached is to be built by scanning. One that is locked, or does not know
   * yet that it no longer is, begins anew before it stands for a lock that comes later.
   */
  async #reset(): Promise<void> {
    const resets = this.#members.map(async ({ id }) => {
      try {
        await this.#host.hashTree.reset({ node: id, ...this.#callOptions() });
      } catch (error) {
        // Whoever is away is told apart when its tree is read.
        if (!(error instanceof HoldfastError) || error.code === 'aborted') throw error;
      }
    });
    await Promise.all(resets);
  }

  /** Who does not know the lock is strange only if it was held until after that was seen. */
  async #confirm(
    session: Session,
    point: Point,
    readings: readonly Reading[],
  ): Promise<readonly Reading[]> {
    if (readings.every(({ type }) => type !== 'strange')) return readings;
    if (await this.#holds(session, point)) return readings;
    const note = 'the lock of the trees was lost before it could be compared';
    return readings.map((one) => {
      return one.type === 'strange' ? { member: one.member, type: 'behind', note } : one;
    });
  }

  /** Whether the lock was held all the time: asked for again, it is the same one. */
  async #holds(session: Session, point: Point): Promise<boolean> {
    try {
      const given = { ...this.#callOptions(), session, timeout: Math.max(this.#leftMs(), ASK_MS) };
      const now = await this.#host.hashTree.lock(given);
      return now.type === 'ok' && now.index === point.index;
    } catch (error) {
      this.#throwIfAborted();
      if (!(error instanceof HoldfastError)) throw error;
      return false;
    }
  }

  async #read(member: MemberStatus, point: Point): Promise<Reading> {
    const look = new Look();
    for (let round = 0; ; round++) {
      const reading = await this.#look(member, point, look);
      if (reading !== undefined) {
        if (reading.type === 'read') this.#ready++;
        this.#say('hashing');
        return { member, ...reading };
      }
      if (this.#leftMs() <= 0) return { member, type: 'behind', note: look.note };
      await this.#pause(round, this.#settings.patience.signal);
      this.#throwIfAborted();
    }
  }

  /** Undefined: ask again. */
  async #look({ id }: MemberStatus, point: Point, look: Look): Promise<Compared | undefined> {
    try {
      // Asked first, so that what the tree says afterwards is said by one that knows the lock.
      const applied = await this.#appliedIndex(id);
      const query = { type: 'treeHash', path: [] } as const;
      const told = await this.#host.hashTree.ask(id, query, this.#askPatience());
      look.failures = 0;
      if (told.type === 'ok') {
        const { index, revision, keys, locked } = told.state;
        if (index === point.index && locked) {
          return { type: 'read', root: told.answer.hashes[0]?.hash ?? '', revision, keys };
        }
      }
      look.note = `it has applied index ${applied}, its tree is to stand for ${point.index}`;
      if (applied < point.index || told.type === 'ongoing_update') return undefined;
      if (++look.unbuilt < MAX_UNBUILT) return undefined;
      // A healthy replica begins to hash when it applies the lock: this one did not find it valid.
      if (told.type === 'ok') return { type: 'strange', note: 'its tree did not take the lock' };
      return { type: 'behind', note: 'it has no tree for this index: history was not kept' };
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      this.#throwIfAborted();
      look.note = error.message;
      if (++look.failures < MAX_FAILURES) return undefined;
      return { type: 'unreachable', note: error.message };
    }
  }

  async #appliedIndex(id: string): Promise<number> {
    const patience = this.#askPatience();
    const response = await this.#host.members.call(id, { type: 'status' }, patience);
    return response.type === 'status' ? response.status.appliedIndex : 0;
  }

  async #compare(point: Point, readings: readonly Reading[]): Promise<Verification> {
    const verdict = judge(readings);
    if (verdict.diverged) this.#say('comparing');
    const members: VerifiedMember[] = [];
    for (const one of verdict.members) members.push(await this.#name(one, verdict.reference));
    return { index: point.index, revision: point.revision, ...verdict, members };
  }

  /** The keys in which a member differs from the reference. */
  async #name(member: VerifiedMember, reference: string): Promise<VerifiedMember> {
    const { state, id, root } = member;
    if (state !== 'diverged' || root === undefined || id === reference) return member;
    const { hashTree } = this.#host;
    const all = this.#askPatience(COMPARE_MS);
    const tree = (node: string): ComparedTree =>
      hashTree.compared(node, () => this.#askPatience(), all);
    try {
      const found = await replicaDifferences(tree(reference), tree(id), this.#settings);
      return { ...member, ...found };
    } catch (error) {
      this.#throwIfAborted();
      if (!(error instanceof HoldfastError)) throw error;
      return { ...member, note: `its differences could not be named: ${error.message}` };
    }
  }

  #say(step: VerifyProgress['step']): void {
    this.#settings.progress({ step, ready: this.#ready, members: this.#members.length });
  }

  #leftMs(): number {
    return this.#settings.patience.deadlineMs - this.#host.members.environment.now();
  }

  #askPatience(timeoutMs = ASK_MS): Patience {
    const now = this.#host.members.environment.now();
    return { deadlineMs: now + timeoutMs, signal: this.#settings.patience.signal };
  }

  #callOptions(): { readonly timeout: number; readonly signal?: AbortSignal } {
    const { signal } = this.#settings.patience;
    const timeout = Math.max(1, Math.ceil(this.#leftMs()));
    return signal === undefined ? { timeout } : { timeout, signal };
  }

  #pause(round: number, signal: AbortSignal | undefined): Promise<void> {
    const delayMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(round, 16), MAX_PAUSE_MS);
    return pause(delayMs, this.#host.members.environment, signal);
  }

  #throwIfAborted(): void {
    const { signal } = this.#settings.patience;
    if (signal?.aborted === true) throw abortError(signal, 'the verification');
  }

  #throwIfOver(why: string, code: 'locked'): void {
    this.#throwIfAborted();
    if (this.#leftMs() <= 0) throw new HoldfastError(code, why);
  }
}

/** What was seen of one member so far. */
class Look {
  failures = 0;
  unbuilt = 0;
  note = '';
}
