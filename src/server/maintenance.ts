/** What an operator may ask of one node: to stand aside, and to be installed anew. */
import { HoldfastError, unreachable } from '../base/index.ts';
import type { CallOptions } from '../node/index.ts';
import type { MaintainAction } from '../protocol/index.ts';
import type { ServerLife } from './server-life.ts';

export interface MaintainedServer {
  readonly life: ServerLife;
  /** Ends this life, empties the store and begins the next, while nobody waits. */
  readonly beginAnew: () => void;
}

const QUARANTINE = 'this node is quarantined: its data may differ from what the others hold';

export class Maintenance {
  readonly #server: MaintainedServer;
  #reinstalling = false;

  constructor(server: MaintainedServer) {
    this.#server = server;
  }

  async maintain(action: MaintainAction, options: CallOptions): Promise<void> {
    if (this.#reinstalling) throw refused('it is being installed anew already');
    switch (action) {
      case 'quarantine':
        return await this.#quarantine(options);
      case 'endQuarantine':
        return this.#endQuarantine();
      case 'reinstall':
        this.#reinstalling = true;
        try {
          await this.#reinstall(options);
        } finally {
          this.#reinstalling = false;
        }
        return undefined;
      default:
        return unreachable(action);
    }
  }

  async #quarantine(options: CallOptions): Promise<void> {
    const { node, service } = this.#server.life;
    const { membership, role } = node.status();
    const others = membership?.voters.filter((voter) => voter !== node.id) ?? [];
    if (others.length === 0) throw refused('no other node votes, so nobody could serve instead');
    service.quarantine(QUARANTINE);
    if (role === 'leader') {
      try {
        await node.transfer(undefined, options);
      } catch {
        // Sitting out gives leadership up at once, whoever takes it.
      }
    }
    node.sitOut(QUARANTINE);
  }

  #endQuarantine(): void {
    const { node, service } = this.#server.life;
    service.quarantine(undefined);
    node.sitOut(undefined);
  }

  /**
   * The cluster first learns to do without this node's store: all others must be there and hold
   * what it holds. From then on it is no voter, so that no death at any point of what follows costs
   * anything that was acknowledged.
   */
  async #reinstall(options: CallOptions): Promise<void> {
    const { node, service } = this.#server.life;
    const { id } = node;
    const wasServing = service.quarantined === undefined;
    await this.#quarantine(options);
    try {
      if (node.status().membership?.voters.includes(id) === true) {
        await node.changeMembership({ type: 'standDown', id }, options);
      }
    } catch (error) {
      if (wasServing) this.#endQuarantine();
      throw error;
    }
    const { storeId } = node.status();
    await node.changeMembership({ type: 'giveUpStore', id, storeId }, options);
    this.#server.beginAnew();
  }
}

function refused(why: string): HoldfastError {
  return new HoldfastError('membership-refused', `this node cannot be taken out: ${why}`);
}
