/**
 * Sessions that live as long as they can and read their notices. At the end an edge to an entry
 * that is erased at once tells when a keeper has read all there was before: notices come in order.
 */
import type { Session, Table } from '../../src/client/index.ts';
import { inBackground, type Background } from './background.ts';
import { openSession } from './session-use.ts';
import type { WorkloadContext } from './workload.ts';

const LOOK_MS = 100;
const LOOKS = 200;

export class Keeper {
  readonly session: Session;
  readonly #reading: Background;
  readonly #told = new Set<number>();

  private constructor(context: WorkloadContext, session: Session) {
    this.session = session;
    this.#reading = inBackground(context, (signal) => this.#read(context, signal));
  }

  static async open(context: WorkloadContext): Promise<Keeper | undefined> {
    const session = await openSession(context, { keepAlive: true, trapExits: true });
    return session === undefined ? undefined : new Keeper(context, session);
  }

  /** Its session has ended: nothing more is told to it. */
  get isOver(): boolean {
    return this.session.signal.aborted;
  }

  stop(): Promise<void> {
    return this.#reading.stop();
  }

  /** Whether it has read every notice, or had the time to; false when nobody can tell. */
  async hasReadAll(context: WorkloadContext, table: Table): Promise<boolean> {
    if (this.isOver) return false;
    const key = `sentinel/${this.session.id}`;
    const value = { table: table.name };
    const stored = await context.invoke(
      'store',
      { key, value },
      () => table.store(key, ''),
      () => ({
        output: { stored: true },
      }),
    );
    const edge = { ...value, type: 'monitor', peer: this.session.id };
    const connection = await context.invoke(
      'connect',
      { key, value: edge },
      () => table.connect('monitor', this.session, key),
      ({ id }) => ({ output: id }),
    );
    const erased = await context.invoke('erase', { key, value }, async () => {
      await table.erase(key);
      return true;
    });
    if (stored === undefined || connection === undefined || erased === undefined) return false;
    for (let look = 0; look < LOOKS && !this.isOver; look++) {
      if (this.#told.has(connection.id)) return true;
      await context.pause(LOOK_MS);
    }
    // With everything healed for so long, what has not come is not on its way.
    return !this.isOver;
  }

  async #read(context: WorkloadContext, signal: AbortSignal): Promise<void> {
    const { id: session } = this.session;
    for await (const notice of context.registry.notices({ session: this.session, signal })) {
      const { type, connection, reason, revision, table } = notice;
      this.#told.add(connection.id);
      const value = { table, connection: connection.id, session };
      context.note('notice', { key: connection.key, value, output: { type, reason }, revision });
    }
  }
}
