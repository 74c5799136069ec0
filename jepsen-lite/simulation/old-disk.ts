/**
 * A disk that is put back as it was a while ago. No node can tell that from its own disk, so a
 * cluster survives it only where nothing hangs on what was lost: the vote and the membership are
 * still the same, and everyone else holds all that the disk held.
 */
import type { Place, SimulatedCluster } from './cluster.ts';
import type { DiskImage } from './disk.ts';

/** A disk as it was, and what its node held then. */
export interface OldDisk {
  readonly image: DiskImage;
  readonly through: number;
  readonly membership: string;
}

/** What a node held that it has to hold again before another disk may be lost. */
interface Regaining {
  readonly id: string;
  readonly through: number;
}

export class OldDisks {
  readonly #cluster: SimulatedCluster;
  #regaining: Regaining[] = [];

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  /** Those that do not hold yet what they held before. */
  get regaining(): readonly string[] {
    const { log } = this.#cluster;
    this.#regaining = this.#regaining.filter(({ id, through }) => log.lastDurable(id) < through);
    return this.#regaining.map(({ id }) => id);
  }

  /** A copy of the node's disk as it is now. */
  keep(place: Place): OldDisk {
    const through = this.#cluster.log.lastDurable(place.id);
    return { image: place.disk.keepImage(), through, membership: membershipOf(place) };
  }

  /** Why the copy may not take the place of the node's disk now. */
  whyNot(place: Place, { image, through, membership }: OldDisk): string | undefined {
    // With another it could elect itself, or be elected, by those who were voters then.
    if (place.membershipIndex > through || membershipOf(place) !== membership) {
      return 'its membership is another one';
    }
    const { log, places } = this.#cluster;
    const { records } = place.disk.image;
    for (const name of ['identity', 'metadata'] as const) {
      if (records.get(name) !== image.records.get(name)) return `its ${name} is another one`;
    }
    const lacking = [...places.keys()].find((id) => id !== place.id && !log.holdsAll(id, place.id));
    return lacking === undefined ? undefined : `${lacking} does not hold all that it holds`;
  }

  /** The node is down, and will find this on its disk. */
  putBack({ id, disk }: Place, { image }: OldDisk): void {
    const { log, sometimes } = this.#cluster;
    this.#regaining.push({ id, through: log.lastDurable(id) });
    disk.replace(image);
    log.forget(id);
    sometimes.met('oldDisk');
  }
}

/** What the node has in force, to be compared. */
function membershipOf({ node, membership }: Place): string {
  return JSON.stringify(node?.raft.status().membership ?? membership);
}
