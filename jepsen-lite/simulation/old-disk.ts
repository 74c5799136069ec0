/**
 * A disk that is put back as it was a while ago. No node can tell that from its own disk, so a
 * cluster survives it only where nothing hangs on what was lost: the vote is still the same, and
 * everyone else holds all that the disk held.
 */
import type { Place, SimulatedCluster } from './cluster.ts';
import type { DiskImage } from './disk.ts';

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

  /** Why the image may not take the place of the node's disk now. */
  whyNot(place: Place, image: DiskImage): string | undefined {
    const { log, places } = this.#cluster;
    const { records } = place.disk.image;
    for (const name of ['identity', 'metadata'] as const) {
      if (records.get(name) !== image.records.get(name)) return `its ${name} is another one`;
    }
    const lacking = [...places.keys()].find((id) => id !== place.id && !log.holdsAll(id, place.id));
    return lacking === undefined ? undefined : `${lacking} does not hold all that it holds`;
  }

  /** The node is down, and will find this on its disk. */
  putBack({ id, disk }: Place, image: DiskImage): void {
    const { log, sometimes } = this.#cluster;
    this.#regaining.push({ id, through: log.lastDurable(id) });
    disk.replace(image);
    log.forget(id);
    sometimes.met('oldDisk');
  }
}
